"""What the service and a reader behind walls say to each other: frames of a letter, a length and bytes."""

from __future__ import annotations

import os
import socket
import struct
import time

from ocrkit.errors import OcrkitError

# To the reader: what is asked for, then the document. From it: a page's words, and its picture; that was all; then the
# document as a searchable PDF, or that it makes none and why; the document cannot be read; something else went wrong.
ASKED, DOCUMENT, WORDS, PICTURE, ALL, REFUSED, BROKE = b"a", b"d", b"w", b"p", b"e", b"r", b"x"
SEARCHABLE, UNSEARCHABLE = b"s", b"u"
_HEAD = struct.Struct(">cQ")
_MOST_BYTES = 1 << 28  # of a frame from a reader, who may be anybody by now
_PART = 1 << 20


class Silent(OcrkitError):
    """The other side said nothing for too long."""


def send(end: int, kind: bytes, content: bytes) -> None:
    """Write a frame to a file descriptor."""
    for part in (_HEAD.pack(kind, len(content)), content):
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(end, rest[:_PART]) :]


def send_to(end: socket.socket, kind: bytes, content: bytes) -> None:
    """Write a frame to a socket, whose time-out holds for all of it."""
    end.sendall(_HEAD.pack(kind, len(content)))
    end.sendall(content)


def receive(end: int) -> tuple[bytes, bytes] | None:
    """The next frame from a file descriptor; `None` where the other side has ended."""
    head = _exactly(end, _HEAD.size)
    if head is None:
        return None
    kind, length = _HEAD.unpack(head)
    content = _exactly(end, length)
    return None if content is None else (kind, content)


def receive_until(end: socket.socket, deadline: float) -> tuple[bytes, bytes] | None:
    """The next frame from a reader; `None` where it has ended, or says what no reader of ours would.

    Args:
        end: of the socket.
        deadline: by `time.monotonic`.

    Raises:
        Silent: it is past.
    """
    head = _until(end, _HEAD.size, deadline)
    if head is None:
        return None
    kind, length = _HEAD.unpack(head)
    if length > _MOST_BYTES:
        return None
    content = _until(end, length, deadline)
    return None if content is None else (kind, content)


def _exactly(end: int, length: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < length:
        part = os.read(end, min(_PART, length - len(parts)))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _until(end: socket.socket, length: int, deadline: float) -> bytes | None:
    parts = bytearray()
    while len(parts) < length:
        if (left := deadline - time.monotonic()) <= 0:
            raise Silent("It took too long.")
        end.settimeout(left)
        try:
            part = end.recv(min(_PART, length - len(parts)))
        except TimeoutError:
            continue
        except OSError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)
