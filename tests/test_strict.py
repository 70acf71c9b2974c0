"""Strict mode: the same weights whatever the processor, which the libraries' own variables let one machine play."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ocrkit import origin, strict

ROOT = Path(__file__).resolve().parents[1]
# An older processor of one core; strict mode takes none of it.
OLDER = {
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "OPENCV_IPP": "sse42",
}
TRAINING = """
import hashlib, logging, sys, tempfile
from pathlib import Path
import cv2, numpy as np
from ocrkit.datasets.sample import Sample
from ocrkit.learning.trainer import Trainer, TrainOptions, endless

def draw(text):
    image = np.full((32, 160), 255, np.uint8)
    return cv2.putText(image, text, (4, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 0, 1, cv2.LINE_AA)

texts = ("total", "12.50", "Mill Lane", "a", "of the")
samples = [Sample(cv2.GaussianBlur(draw(text), (5, 5), 0), text) for text in texts]
with tempfile.TemporaryDirectory() as folder:
    options = TrainOptions(words=8, batch_size=4, round_words=8)
    trainer = Trainer(endless(samples, 7), samples, options, Path(folder))
    trainer.run()
    state = [*trainer.network.get_weights(), *trainer.averaged()]
print(hashlib.md5(b"".join(array.tobytes() for array in state)).hexdigest())
"""


def started(code: str, **more: str) -> subprocess.Popen[str]:
    plain = {name: value for name, value in os.environ.items() if name not in {*strict.PINNED, strict.VARIABLE}}
    environment = {**plain, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **more}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=pipe, stderr=pipe, text=True)


def said(process: subprocess.Popen[str]) -> str:
    with process:  # killed with the test where that runs out of time
        try:
            out, err = process.communicate()
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0, err
    return out.strip()


@pytest.mark.timeout(900)  # two processes load TensorFlow: seconds, or minutes where the machine is busy
@pytest.mark.skipif(not strict.instruction_set(), reason="needs an x86-64 processor with AVX2")
def test_weights_are_the_same_whatever_instruction_set_and_threads_the_environment_asks_for():
    """Without strict mode they differ, as `findings/tensorflow-onednn-off.sh` and its neighbours see."""
    here, older = (started(TRAINING, **{strict.VARIABLE: "1"}, **asked) for asked in ({}, OLDER))
    assert said(here) == said(older)


@pytest.mark.parametrize(("asked", "pinned"), [("1", True), ("0", False), ("", False)])
def test_it_is_taken_up_with_the_package_where_the_environment_asks_for_it(asked, pinned):
    code = "import json, os, ocrkit; print(json.dumps(dict(os.environ)))"
    seen = json.loads(said(started(code, **OLDER, **{strict.VARIABLE: asked})))
    expected = strict.PINNED if pinned else OLDER
    assert {name: seen.get(name) for name in expected} == expected


@pytest.mark.parametrize(("pinned", "warned"), [({}, 1), (strict.environment(), 0)])
def test_it_warns_where_tensorflow_is_there_before_it(pinned, warned, monkeypatch, recwarn):
    for name in strict.environment():  # so that they are as before when the test is over
        monkeypatch.setenv(name, pinned.get(name, ""))
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    monkeypatch.setattr(strict, "instruction_set", lambda: "AVX2")
    strict.take_up()
    assert len(recwarn) == warned
    assert strict.is_on()


@pytest.mark.parametrize(
    ("flags", "expected"), [("fpu avx avx2 fma", "AVX2"), ("avx2 avx512f avx512bw", "AVX-512"), ("sse4_2 avx", "")]
)
def test_the_instruction_set_is_named(flags, expected, monkeypatch):
    text = f"model name\t: Some CPU\nflags\t\t: {flags}\n"
    monkeypatch.setattr(Path, "read_text", lambda self, *_: text)
    assert strict.instruction_set() == expected
    assert origin.processor().startswith(f"Some CPU, {expected}".removesuffix(", "))
