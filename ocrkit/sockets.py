"""A socket that listens: whoever is told its address is answered, however long the server behind it takes to start."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

from ocrkit.errors import OcrkitError

_WAITING = 128
"""Connections that may wait until the server takes them."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at an address of this machine.

    Args:
        host: name or address, IPv4 or IPv6.
        port: 0 for any that is free; the socket's `getsockname` tells which.

    Raises:
        OcrkitError: there is no such host here, or the port is taken or not allowed.
    """
    family, kind, protocol, _, address = _found(host, port)
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_WAITING)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise OcrkitError(f"{host} is an address of another machine: --host is one of this machine's.") from None
        raise OcrkitError(f"{host}:{port} cannot be had: {error.strerror or error}; give another --port.") from None
    return listening


def is_closed_to_others(host: str) -> bool:
    """Whether only this machine can connect to a host of that name.

    Raises:
        OcrkitError: it is not known.
    """
    return ipaddress.ip_address(str(_found(host, 0)[4][0])).is_loopback


def _found(host: str, port: int) -> tuple[Any, ...]:
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        raise OcrkitError(f"No address is known of the host {host!r}: check --host.") from None
    # "localhost" is both: of the two, programs that know one only know IPv4.
    return min(known, key=lambda entry: entry[0] != socket.AF_INET)
