"""Engines in processes of their own: the same answers, an end to what hangs, and memory of each."""

import os
import signal
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ocrkit.document import Line, Page, Word, box_to_quad
from ocrkit.engines import Engine, EngineFailed, EngineProcess, compare, start_engine
from ocrkit.errors import BadModel, BadParams

PAGE = np.full((60, 80), 255, np.uint8)


class Moody(Engine):
    """Does on a page what its first pixel says."""

    name, version, usd_per_page = "moody", "1", 0.25

    def __init__(self, notes=None):
        self.notes = notes
        self.pages = 0

    def read(self, image):
        self.pages += 1
        mood = image[0, 0]
        if mood == 1:
            raise ZeroDivisionError("of its own")
        if mood == 2:
            Path(self.notes).write_text(str(os.getpid()))
            time.sleep(60)
        if mood == 3:
            os.kill(os.getpid(), signal.SIGSEGV)
        if mood == 4:
            self.held = np.ones(100_000_000, np.uint8)
        self.steps = {"thinking": 0.5}
        word = Word(f"page{self.pages}", box_to_quad((1, 2, 3, 4)))
        return Page(1, 80, 60, (Line((word,)),), image=image)

    def recognize(self, crops):
        return [str(crop.shape[1]) for crop in crops]


class Unmakable(Engine):
    def __init__(self):
        raise BadModel("There is no model.")


def in_mood(number):
    page = PAGE.copy()
    page[0, 0] = number
    return page


@pytest.fixture
def moody(tmp_path):
    with closing(EngineProcess(partial(Moody, str(tmp_path / "pid")))) as engine:
        yield engine


def test_answers_are_those_of_the_engine_without_the_pixels(moody):
    page = moody.read(PAGE)
    assert (page.text, page.width, page.image) == ("page1", 80, None)
    assert moody.read(PAGE).text == "page2"  # by the same process
    assert moody.recognize([PAGE, PAGE[:, :7]]) == ["80", "7"]
    assert (moody.name, moody.version, moody.usd_per_page, moody.steps) == ("moody", "1", 0.25, {"thinking": 0.5})


def test_a_page_that_crashes_hangs_or_kills_the_engine_fails_alone(moody, tmp_path):
    with pytest.raises(EngineFailed, match="ZeroDivisionError: of its own"):
        moody.read(in_mood(1))
    moody.timeout_s = 5
    with pytest.raises(EngineFailed, match="It took longer than 5 s and was stopped"):
        moody.read(in_mood(2))
    moody.timeout_s = 60
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    with pytest.raises(EngineFailed, match="ended unexpectedly, with status -11"):
        moody.read(in_mood(3))
    assert moody.steps == {}
    assert moody.read(PAGE).text == "page1"  # by another process


def test_the_peak_of_memory_is_the_engines_own_and_outlives_its_process(moody):
    before = moody.peak_mb
    moody.read(in_mood(4))
    assert moody.peak_mb > before + 90
    with pytest.raises(EngineFailed):
        moody.read(in_mood(3))
    moody.read(PAGE)
    assert moody.peak_mb > before + 90


def test_a_program_that_an_engine_started_ends_with_it(tmp_path, monkeypatch):
    """A Tesseract that hangs, which the engine itself would wait for."""
    script, started = tmp_path / "tesseract", tmp_path / "started"
    script.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo tesseract 9.9 && exit\necho $$ > {started}\nsleep 60\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with (
        closing(start_engine("tesseract", timeout_s=2, in_process=False)) as engine,
        pytest.raises(EngineFailed, match="longer than 2 s"),
    ):
        engine.read(PAGE)
    pid = started.read_text().strip()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_cannot_be_made_says_why():
    with pytest.raises(BadModel, match="There is no model"):
        EngineProcess(Unmakable)
    with pytest.raises(BadParams, match="no engine 'abbyy'"):
        start_engine("abbyy")


def test_a_comparison_takes_steps_memory_and_price_from_the_engines(moody):
    from ocrkit.datasets import LabelledPage, LabelledWord

    page = LabelledPage("p", (LabelledWord("page2", box_to_quad((1, 2, 3, 4))),), pixels=PAGE)
    (cost,) = compare([moody], [page]).costs()
    assert cost["steps"] == {"thinking": 0.5}
    assert cost["peak_mb"] == moody.peak_mb > 20
    assert cost["usd_per_page"] == 0.25
