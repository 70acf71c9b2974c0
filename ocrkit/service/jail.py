"""Reading behind walls, from outside: start the zygote, ask it for jails, and be content with whatever becomes of them.

Three modes: `fork`, a jail for each document; `kept`, a process that is jailed once and reads many pages, for systems
where a copy of a process cannot be trusted, at the price that a document which takes it over sees the next ones; and
`open`, copies without walls.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from ocrkit.errors import OcrkitError
from ocrkit.service import wire
from ocrkit.service.queue import JobOptions
from ocrkit.service.results import StoredPage
from ocrkit.service.walls import Limits, NoJail, Walls
from ocrkit.service.zygote import MODES

READER = "ocrkit.service.reading:make"
_START_S = 180.0
_MOST_PAGES = 20_000


class Refused(OcrkitError):
    """A document that cannot be read, however often it is tried."""


class ReaderDied(OcrkitError):
    """A reader that broke off, was killed, or took too much; perhaps another one can."""


class Closed(OcrkitError):
    """The jails were closed while one was reading."""


class Said(NamedTuple):
    """What a reader said of a whole document.

    Attributes:
        pages: in the file, where known.
        searchable: the document as a PDF with text; empty where it is one already, `None` where it makes none.
        why: it makes none; empty for a picture.
        is_well: whether the reader can go on.
    """

    pages: int | None
    searchable: bytes | None = None
    why: str = ""
    is_well: bool = True


class _Copy(NamedTuple):
    """A process that reads, and the socket to it."""

    pid: int
    end: socket.socket


class Jails:
    """Jails for one model; any number of threads may read at once.

    Args:
        model: its folder.
        mode: "fork", "kept" or "open"; see above.
        limits: of one document.
        make: "module:function" that makes the reader of a model's folder, in the zygote.

    Raises:
        NoJail: the walls cannot be put up here, or leave something open.
        OcrkitError: the reader cannot be made.
    """

    def __init__(
        self, model: str, mode: str = "fork", limits: Limits | None = None, make: str = READER, start: bool = True
    ) -> None:
        if mode not in MODES:
            raise ValueError(mode)
        self.mode, self.limits, self.walls = mode, limits or Limits(), Walls(0, 0)
        self._command = [mode, make, model, json.dumps(asdict(self.limits))]
        self._lock = threading.Lock()
        self._closed = False
        self._zygote: _Zygote | None = None
        self._kept: list[tuple[_Zygote, int]] = []
        self._all: set[_Zygote] = set()
        self._reading = 0
        if start:
            with self._lock:
                if mode == "kept":
                    self._kept.append((self._start(), 0))
                else:
                    self._zygote = self._start()

    @property
    def pids(self) -> list[int]:
        """The processes that are kept warm."""
        return [zygote.pid for zygote in list(self._all)]

    def read(self, document: bytes, options: JobOptions, on_page: Callable[[StoredPage, bytes], object]) -> Said:
        """Read a document; `on_page` is given each page and its picture as they come.

        Raises:
            Refused: it is no document, or cannot be read.
            ReaderDied: the reader crashed, ran out of its limits, or said what cannot be understood.
            NoJail: the walls cannot be put up.
        """
        self._reading += 1
        try:
            if self.mode == "kept":
                return self._read_kept(document, options, on_page)
            return self._read_once(document, options, on_page)
        finally:
            self._reading -= 1

    def is_idle(self) -> bool:
        """Whether nobody reads."""
        return not self._reading

    def _read_once(self, document: bytes, options: JobOptions, on_page: Callable[[StoredPage, bytes], object]) -> Said:
        zygote, copy = self._copy()
        try:
            said = self._talk(copy.end, document, options, on_page)
        except wire.Silent:
            raise self._too_long(options) from None
        finally:
            copy.end.close()
            with suppress(ProcessLookupError):
                os.kill(copy.pid, signal.SIGKILL)  # it has ended, hangs, or says too much
            status = zygote.status(copy.pid)
        if isinstance(said, _Ended):
            raise self._died(status if said.by_itself else None)
        return said

    def close(self) -> None:
        """End the zygote, and with it all jails."""
        self._closed = True
        with self._lock:
            for zygote in list(self._all):
                zygote.close()
            self._all.clear()
            self._zygote = None
            self._kept.clear()

    def _start(self) -> _Zygote:
        if self._closed:
            raise Closed("The jails are closed.")
        zygote = _Zygote(self._command)
        self._all.add(zygote)
        self.walls = zygote.walls
        return zygote

    def _copy(self) -> tuple[_Zygote, _Copy]:
        """A fresh copy, of a new zygote where the last one has died."""
        with self._lock:
            for _ in range(2):
                if self._zygote is None:
                    self._zygote = self._start()
                if copy := self._zygote.fork():
                    return self._zygote, copy
                self._all.discard(self._zygote)
                self._zygote.close()
                self._zygote = None
        raise ReaderDied("The process that has the reader warm ended twice.")

    def _read_kept(self, document: bytes, options: JobOptions, on_page: Callable[[StoredPage, bytes], object]) -> Said:
        with self._lock:
            zygote, pages = self._kept.pop() if self._kept else (None, 0)
        if zygote is None or not zygote.is_alive():
            if zygote is not None:
                self._end(zygote)
            with self._lock:
                zygote, pages = self._start(), 0

        def counted(page: StoredPage, picture: bytes) -> None:
            nonlocal pages
            pages += 1
            on_page(page, picture)

        try:
            said = self._talk(zygote.end, document, options, counted)
        except Refused:  # it is well and can go on
            self._keep(zygote, pages + 1)
            raise
        except wire.Silent:
            self._end(zygote)
            raise self._too_long(options) from None
        except BaseException:
            self._end(zygote)
            raise
        if isinstance(said, _Ended):
            status = self._end(zygote)
            raise self._died(status if said.by_itself else None)
        if said.is_well:
            self._keep(zygote, pages)
        else:
            self._end(zygote)
        return said

    def _keep(self, zygote: _Zygote, pages: int) -> None:
        if pages >= self.limits.pages:
            self._end(zygote)
        else:
            with self._lock:
                self._kept.append((zygote, pages))

    def _end(self, zygote: _Zygote) -> int:
        self._all.discard(zygote)
        return zygote.close()

    def _talk(
        self,
        end: socket.socket,
        document: bytes,
        options: JobOptions,
        on_page: Callable[[StoredPage, bytes], object],
    ) -> Said | _Ended:
        """Send the document and take what is said of it; nothing of that is believed before it is checked."""
        deadline = time.monotonic() + self._wall_s(options)
        asked = {"keep_doubtful": options.keep_doubtful, "most_pages": options.most_pages}
        page: StoredPage | None = None
        pages = 0
        try:
            end.settimeout(self._wall_s(options))
            wire.send_to(end, wire.ASKED, json.dumps(asked).encode())
            wire.send_to(end, wire.DOCUMENT, document)
        except TimeoutError:
            raise wire.Silent("It took too long.") from None
        except OSError:
            return _Ended(True)
        while frame := wire.receive_until(end, deadline):
            kind, content = frame
            if kind == wire.WORDS and page is None and pages < _MOST_PAGES:
                try:
                    page = StoredPage.model_validate_json(content)
                except ValidationError:
                    return _Ended(False)
            elif kind == wire.PICTURE and page is not None:
                on_page(page, content)
                page, pages = None, pages + 1
            elif kind == wire.ALL and page is None:
                count = _pages(content)
                return count if isinstance(count, _Ended) else self._searchable(end, deadline, count)
            elif kind == wire.REFUSED:
                raise Refused(_plain(content))
            elif kind == wire.BROKE:
                raise ReaderDied(f"The reader failed: {_plain(content)}")
            else:
                return _Ended(False)
        return _Ended(True)

    def _searchable(self, end: socket.socket, deadline: float, pages: int | None) -> Said:
        """The document as a searchable PDF; what has been read holds, whatever becomes of that."""
        try:
            frame = wire.receive_until(end, deadline)
        except wire.Silent:
            return Said(pages, None, "Making it took too long.", is_well=False)
        if frame and frame[0] == wire.SEARCHABLE:
            return Said(pages, frame[1])
        if frame and frame[0] == wire.UNSEARCHABLE:
            return Said(pages, None, _plain(frame[1]))
        return Said(pages, None, "Making it failed.", is_well=False)

    def _wall_s(self, options: JobOptions) -> float:
        return self.limits.wall_s * (self.limits.all_pages_times if options.all_pages else 1)

    def _too_long(self, options: JobOptions) -> ReaderDied:
        return ReaderDied(f"Reading took longer than {self._wall_s(options):g} s and was ended.")

    def _died(self, status: int | None) -> ReaderDied:
        if self._closed:
            raise Closed("The jails were closed.")
        if status is None:
            return ReaderDied("The reader said what cannot be understood, and was ended.")
        if status == -signal.SIGXCPU:
            return ReaderDied("Reading took more processor time than a document may have.")
        if status < 0 and -status != signal.SIGKILL:
            return ReaderDied(f"The reader crashed ({signal.Signals(-status).name}).")
        return ReaderDied("The reader was killed, or ended without a word.")


class _Ended(NamedTuple):
    """That a reader broke off; `by_itself`, or since it said what no reader of ours would."""

    by_itself: bool


class _Zygote:
    """The process of `ocrkit.service.zygote`, and the socket to it."""

    def __init__(self, command: list[str]) -> None:
        self.end, its = socket.socketpair()
        # Not what this process knows, such as a token: only what Python needs to find the reader.
        environment = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ
        }
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ocrkit.service.zygote", *command],
            stdin=its.fileno(),
            stdout=subprocess.DEVNULL,
            env=environment,
        )
        its.close()
        self._lock = threading.Lock()
        self.pid = self._process.pid
        told = self._ready()
        if "error" in told:
            self.close()
            raise NoJail(told["error"]) if told["jail"] else OcrkitError(told["error"])
        self.walls = Walls(**told)

    def _ready(self) -> dict[str, Any]:
        self.end.settimeout(_START_S)
        line = b""
        with suppress(OSError):
            while not line.endswith(b"\n") and (part := self.end.recv(65536)):
                line += part
        self.end.settimeout(None)
        if not line.endswith(b"\n"):
            self.close()
            raise ReaderDied("The process that has the reader warm did not start.")
        return cast(dict[str, Any], json.loads(line))

    def fork(self) -> _Copy | None:
        """A copy; `None` where this process has died."""
        with self._lock, suppress(OSError, ValueError):
            self.end.sendall(b"fork")
            told, ends, _, _ = socket.recv_fds(self.end, 64, 1)
            if told and ends:
                return _Copy(int(told), socket.socket(fileno=ends[0]))
        return None

    def status(self, pid: int) -> int:
        """How a copy has ended: 0 or more what it said itself, less than 0 the signal."""
        with self._lock, suppress(OSError, ValueError):
            self.end.sendall(str(pid).encode())
            return int(self.end.recv(64))
        return -signal.SIGKILL  # it died with this process

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def close(self) -> int:
        """End it; its status."""
        self.end.close()
        try:
            return self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _pages(content: bytes) -> int | _Ended | None:
    try:
        pages = json.loads(content)["pages"]
    except (ValueError, TypeError, KeyError):
        return _Ended(False)
    return pages if pages is None or (isinstance(pages, int) and 0 <= pages < 10**7) else _Ended(False)


def _plain(content: bytes) -> str:
    """What a reader says, on one line and without anything but text."""
    return " ".join("".join(c if c.isprintable() else " " for c in content[:2000].decode("utf-8", "replace")).split())
