"""The process that has a reader warm, and of which a jail is a copy: `python -m ocrkit.service.zygote`.

It reads no document of anybody's itself. Asked for a jail it forks: the copy puts the walls up and reads what comes
over its socket, then ends. Kept, it puts the walls up around itself and reads one document after another.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from ocrkit.document import Page
from ocrkit.errors import BadImage, OcrkitError
from ocrkit.images import count_pages
from ocrkit.service import walls, wire
from ocrkit.service.reading import Read, picture_of, searchable

MODES = ("fork", "kept", "open")
_TELLING = 1000  # characters of what went wrong
_THREADS = 2  # ours, and one of ONNX Runtime's that only ever sleeps


def main(arguments: list[str]) -> None:
    """Make the reader, and serve the socket that standard input is until its other end is closed."""
    mode, make, model, limits = arguments[0], arguments[1], arguments[2], walls.Limits(**json.loads(arguments[3]))
    control = socket.socket(fileno=os.dup(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; whoever started this one ends it
    try:
        read = _made(make, model)
        _pages_in(b"%PDF-")  # behind the walls nothing can be imported any more
        holds = _tried(mode)
    except OcrkitError as error:
        _say(control, {"error": str(error), "jail": isinstance(error, walls.NoJail)})
        return
    gc.collect()
    gc.freeze()  # what is there already stays shared with the copies
    if mode == "kept":
        # Its control socket is its only one: the walls close all others.
        walls.limit(limits, _cpu_s(limits) * limits.pages)
        _say(control, holds)
        walls.enforce(control.fileno())
        while _one(control.fileno(), read):
            pass
        os._exit(0)
    _say(control, holds)
    while asked := control.recv(64):
        if asked == b"fork":
            pid, end = _fork(read, limits, mode)
            socket.send_fds(control, [str(pid).encode()], [end])
            os.close(end)
        else:
            _, status = os.waitpid(int(asked), 0)
            control.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _made(make: str, model: str) -> Read:
    module, _, name = make.partition(":")
    read: Read = getattr(import_module(module), name)(model)
    if (threads := len(list(Path("/proc/self/task").iterdir()))) > _THREADS:
        raise walls.NoJail(f"The reader runs {threads} threads, and a process with threads cannot be copied safely.")
    return read


def _tried(mode: str) -> dict[str, Any]:
    """What the walls are, tried in a copy that then ends.

    Raises:
        NoJail: they cannot be put up, or leave something open.
    """
    if mode == "open":
        return {"landlock": 0, "calls": 0}
    ours, its = socket.socketpair()
    if (pid := os.fork()) == 0:
        try:
            told: dict[str, Any] = asdict(walls.enforce(its.fileno()))
            told["open"] = walls.open_doors()
        except walls.NoJail as error:
            told = {"error": str(error)}
        finally:
            os.write(its.fileno(), json.dumps(told).encode())
            os._exit(0)
    its.close()
    found = json.loads(ours.recv(65536) or b'{"error": "The jail ended at once: its walls do not fit this system."}')
    ours.close()
    os.waitpid(pid, 0)
    if "error" in found:
        raise walls.NoJail(found["error"])
    if doors := found.pop("open"):
        raise walls.NoJail(f"The jail does not hold here: from inside one can still {', '.join(doors)}.")
    return dict(found)


def _fork(read: Read, limits: walls.Limits, mode: str) -> tuple[int, int]:
    """A copy that reads one document; its id, and the other end of its socket."""
    parent = os.getpid()
    ours, its = socket.socketpair()
    if (pid := os.fork()) == 0:
        walls.die_with_parent(parent)
        end = os.dup(its.fileno())
        walls.limit(limits, _cpu_s(limits))
        try:
            if mode == "fork":
                walls.enforce(end)
            else:
                ours.close()
            _one(end, read)
        finally:
            os._exit(0)
    its.close()
    return pid, ours.detach()


def _cpu_s(limits: walls.Limits) -> int:
    # The clock of the one who asks is the strict one: it knows how many pages are wanted.
    return limits.cpu_s * limits.all_pages_times


def _pages_in(document: bytes) -> int | None:
    with suppress(BadImage):
        return count_pages(document)
    return None


def _one(end: int, read: Read) -> bool:
    """Read one document from a socket and answer there; whether there was one."""
    asked, sent = wire.receive(end), wire.receive(end)
    if asked is None or sent is None:
        return False
    options, document = json.loads(asked[1]), sent[1]
    pages: list[Page] = []
    try:
        for page in read(document, options["keep_doubtful"], options["most_pages"]):
            words = page.to_dict()
            wire.send(end, wire.WORDS, json.dumps(words, ensure_ascii=False).encode("utf-8", "replace"))
            wire.send(end, wire.PICTURE, picture_of(page) or b"")
            pages.append(replace(page, image=None, original=None))
            del page
        wire.send(end, wire.ALL, json.dumps({"pages": _pages_in(document)}).encode())
        _send_searchable(end, document, pages)
    except OcrkitError as error:
        wire.send(end, wire.REFUSED, str(error)[:_TELLING].encode("utf-8", "replace"))
    except MemoryError:
        wire.send(end, wire.REFUSED, b"The document needs more memory than a jail has: scale it down, or cut it up.")
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"
        wire.send(end, wire.BROKE, told[:_TELLING].encode("utf-8", "replace"))
    return True


def _send_searchable(end: int, document: bytes, pages: list[Page]) -> None:
    """Send the document with its text; nothing where it is as it was already."""
    why = b""
    try:
        made = searchable(document, pages)
    except OcrkitError as error:
        made, why = None, str(error)[:_TELLING].encode("utf-8", "replace")
    if made is None:
        wire.send(end, wire.UNSEARCHABLE, why)
    else:
        wire.send(end, wire.SEARCHABLE, b"" if made is document else made)


def _say(control: socket.socket, told: dict[str, Any]) -> None:
    control.sendall(json.dumps(told).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
