"""A version of our own reader as it was packaged, with the code of its day, as one engine among others."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ocrkit.document import Image, Line, Page, Word
from ocrkit.engines.base import Engine, EngineFailed
from ocrkit.engines.own import turned_back
from ocrkit.recognition.model import identity

_WORKER = Path(__file__).with_name("packaged_worker.py")
_START_S = 60.0
_CHUNK = 1 << 20
_FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]
_LONGEST = 64 << 20  # bytes of an answer


class PackagedEngine(Engine):
    """Reads with the code and the model of one version, in a process of its own that one thread keeps busy.

    Args:
        code: folder that holds the package `ocrkit`.
        model: the model's folder.
        timeout_s: for a page; then the process is stopped, and started anew for the next page.
        nice: how far it yields to other processes, 0 to 19.

    Raises:
        EngineFailed: it does not start.
    """

    name = "packaged"

    def __init__(self, code: Path, model: Path, timeout_s: float = 60.0, nice: int = 0) -> None:
        self._code, self._model, self._timeout_s, self._nice = code, model, timeout_s, nice
        self.model = identity(model)
        self._start()

    def read(self, image: Image) -> Page:
        """The words of a page image, in its pixels."""
        if self._process.poll() is not None:
            self._start()
        picture = cv2.imencode(".png", image[:, :, ::-1] if image.ndim == 3 else image, _FAST)[1].tobytes()
        answer = self._ask(len(picture).to_bytes(8) + picture, self._timeout_s)
        if "error" in answer:
            raise EngineFailed(answer["error"])
        return turned_back(_page(answer["page"]))

    def recognize(self, crops: Sequence[Image]) -> list[str]:
        """Not asked of whole readers.

        Raises:
            EngineFailed: always.
        """
        raise EngineFailed("A packaged reader reads pages, not single words.")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _start(self) -> None:
        threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        self._process = subprocess.Popen(
            # -P: its own folder must not hide the packages of that name
            [sys.executable, "-P", str(_WORKER), str(self._model), str(self._nice)],
            env={**os.environ, **threads, "PYTHONPATH": str(self._code)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self.version = str(self._ask(b"", _START_S)["version"])

    def _ask(self, question: bytes, timeout_s: float) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        ends = time.monotonic() + timeout_s
        try:
            self._send(stdin.fileno(), question, ends)
            length = int.from_bytes(self._receive(stdout.fileno(), 8, ends))
            if length > _LONGEST:
                raise EngineFailed("Its answer is too long.")
            return dict(json.loads(self._receive(stdout.fileno(), length, ends)))
        except (EngineFailed, OSError, ValueError) as error:
            self.close()
            if isinstance(error, EngineFailed):
                raise
            status = self._process.returncode
            raise EngineFailed(f"Its process ended unexpectedly, with status {status}.") from None

    def _send(self, pipe: int, data: bytes, ends: float) -> None:
        left = memoryview(data)
        os.set_blocking(pipe, False)
        while left:
            if not select.select([], [pipe], [], max(0.0, ends - time.monotonic()))[1]:
                raise EngineFailed(f"It took longer than {self._timeout_s:g} s and was stopped.")
            left = left[os.write(pipe, left[:_CHUNK]) :]

    def _receive(self, pipe: int, count: int, ends: float) -> bytes:
        data = bytearray()
        while len(data) < count:
            if not select.select([pipe], [], [], max(0.0, ends - time.monotonic()))[0]:
                raise EngineFailed(f"It took longer than {self._timeout_s:g} s and was stopped.")
            if not (part := os.read(pipe, min(_CHUNK, count - len(data)))):
                raise BrokenPipeError
            data += part
        return bytes(data)


def _page(values: dict[str, Any]) -> Page:
    """The page that `Page.to_dict` told, by any version."""
    lines = tuple(
        Line(
            tuple(
                Word(word["text"], np.array(word["quad"], float), word["confidence"], word.get("doubtful", False))
                for word in line["words"]
            ),
            line["paragraph"],
        )
        for line in values["lines"]
    )
    return Page(
        values["number"],
        values["width"],
        values["height"],
        lines,
        rotation=values["rotation"],
        error=values["error"],
        left_out=values.get("left_out", {}),
    )
