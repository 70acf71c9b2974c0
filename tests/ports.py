"""Ports for servers that tests start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_FIRST = 12_000
_CHANCE = random.SystemRandom()


def free_port() -> int:
    """A port on loopback that is free, and stays so until a server that starts slowly listens at it.

    The system gives ports of its own range to every connection and to every socket that asks for any; this one lies
    below that range.
    """
    range_of_system = Path("/proc/sys/net/ipv4/ip_local_port_range")
    below = int(range_of_system.read_text().split()[0]) if range_of_system.exists() else 32_768
    for _ in range(100):
        port = _CHANCE.randint(_FIRST, max(below - 1, _FIRST + 1000))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"No port is free from {_FIRST} to {below}.")
