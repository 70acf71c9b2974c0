"""The service as processes: this one answers, a second one works and is started again whenever it ends."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from ocrkit.errors import OcrkitError
from ocrkit.files import write_whole
from ocrkit.recognition.model import identity
from ocrkit.service import logs
from ocrkit.service.app import Face, FaceOptions
from ocrkit.service.index import Index
from ocrkit.service.intake import Choose
from ocrkit.service.queue import Pinned, Queue
from ocrkit.service.readers import WorkOptions
from ocrkit.service.store import Store
from ocrkit.service.walls import NoJail
from ocrkit.service.work import mend
from ocrkit.sockets import is_closed_to_others, listen

_LOG = logging.getLogger("ocrkit.service")
_PAUSES_S = (0.2, 1.0, 5.0, 15.0)  # before a worker that ended is started again; the last holds for all further ones
_LONG_S = 60.0  # a worker that lived so long was well


class Worker:
    """The process of `ocrkit.service.work`, kept alive.

    Args:
        store: on whose queue it works.
        options: how.

    Raises:
        NoJail: it says that no jail can be had.
        OcrkitError: it cannot work for another reason.
    """

    def __init__(self, store: Store, options: WorkOptions) -> None:
        self._command = [sys.executable, "-m", "ocrkit.service.work", str(store.folder), json.dumps(asdict(options))]
        self._stop = threading.Event()
        self._why = ""
        self._process = self._start()
        self._said(self._process)
        self._thread = threading.Thread(target=self._watch, name="worker", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Of the process now."""
        return self._process.pid

    def problems(self) -> list[str]:
        """Why nothing is read at the moment; empty where all is well."""
        return [self._why] if self._why else []

    def stop(self) -> None:
        """Let it give back what it reads, and end."""
        self._stop.set()
        process = self._process
        with suppress(OSError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._thread.join()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @staticmethod
    def _said(process: subprocess.Popen[bytes]) -> None:
        """Wait until it works, or says why it cannot."""
        assert process.stdout
        try:
            told = json.loads(process.stdout.readline() or "{}")
        except ValueError:
            told = {}
        if not told.get("ready"):
            process.kill()
            process.wait()
            sentence = told.get("error", "The process that reads ended before it began.")
            raise NoJail(sentence) if told.get("jail") else OcrkitError(sentence)

    def _watch(self) -> None:
        ends = 0
        while True:
            begun = time.monotonic()
            self._process.wait()
            if self._stop.is_set():
                return
            self._why = "The process that reads has ended and is started again."
            _LOG.error("worker ended", extra={"status": self._process.returncode})
            ends = 0 if time.monotonic() - begun > _LONG_S else ends + 1
            while not self._stop.wait(_PAUSES_S[min(ends, len(_PAUSES_S)) - 1] if ends else 0):
                self._process = self._start()
                try:
                    self._said(self._process)
                except OcrkitError as error:
                    self._why, ends = str(error), ends + 1
                    continue
                self._why = ""
                break


def serve(
    store: Store,
    work: WorkOptions,
    face: FaceOptions,
    choose: Choose,
    host: str = "127.0.0.1",
    port: int = 8018,
    port_file: Path | None = None,
) -> None:
    """Serve until a signal says to stop.

    Args:
        store: what is served.
        work: how documents are read.
        face: what is allowed.
        choose: see `ocrkit.service.intake.choose_model`.
        host: address to answer at.
        port: 0 for any that is free.
        port_file: where to write the port.

    Raises:
        NoJail: see `Worker`.
        OcrkitError: the address cannot be had, or others may ask without a token.
    """
    import uvicorn

    if not face.token and not is_closed_to_others(host):
        raise OcrkitError(f"At {host} everybody could ask: give a --token, or leave --host at 127.0.0.1.")
    listening = listen(host, port)
    queue, index = Queue(store.queue, work.queue), Index(store.index)
    mend(store, queue, index)
    worker = Worker(store, work)
    try:
        answers = Face(store, queue, index, choose, face, work.jails, worker.problems).app()
        config = uvicorn.Config(answers, log_config=None, access_log=False, lifespan="off", server_header=False)
        place = f"[{host}]" if ":" in host else host
        _LOG.info("serving", extra={"address": f"http://{place}:{listening.getsockname()[1]}/", "worker": worker.pid})
        if port_file:
            write_whole(port_file, str(listening.getsockname()[1]))
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        worker.stop()
        listening.close()


def main(arguments: list[str]) -> None:
    """Serve a store with any options: `python -m ocrkit.service.server FOLDER WORK FACE`, for tests and benchmarks.

    The port is any that is free, and written into the store's file `port`.
    """
    logs.structured()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder, work, face = arguments
    store, options = Store(folder), WorkOptions(**json.loads(work))
    pinned = Pinned(options.model, Path(options.model).name, identity(Path(options.model)))
    serve(
        store, options, FaceOptions(**json.loads(face)), lambda digest: pinned, port=0, port_file=store.folder / "port"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
