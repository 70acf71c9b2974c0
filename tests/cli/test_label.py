"""`ocrkit label`: from nothing to a labelled data set on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import PIL.Image
import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.datasets import load_crops
from ocrkit.datasets.write import write_crops
from ocrkit.labelling.jobs import Store
from ocrkit.labelling.simulate import answer_all, blank_tasks
from ocrkit.labelling.tasks import picture_key
from ocrkit.labelling.templates import load_template

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A command in a folder that is in no project."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    def call(*words: str, status: int = 0) -> str:
        done = runner.invoke(main, ["label", *words])
        assert done.exit_code == status, done.output
        return done.output

    return call


def test_words_become_a_job_then_answers_then_a_data_set(run, tmp_path: Path, samples) -> None:
    known = [sample for sample in samples if sample.text]
    write_crops(known[:30], tmp_path / "words")
    write_crops(known[30:36], tmp_path / "gold")
    made = run("new", "first", "--from", "words", "--count", "20", "--gold", "gold", "--redundancy", "2")
    assert "first: 20 tasks and 6 gold ones" in made
    truths = {picture_key(sample.image): sample.text for sample in known}
    with Store(tmp_path / "labelling" / "jobs.db") as store:
        answer_all(store, store.job("first"), truths, {"Ada": 1.0, "Ben": 1.0, "Cem": 0.5})
    assert "20 of 20 tasks done by" in run("status")
    told = json.loads(run("status", "first", "--json"))
    assert told["alpha"] > 0.4
    assert "Ada" in run("status", "first")
    collected = run("collect", "first", "--adjudicate", "second")
    assert "labels are sure" in collected
    assert "No run is recorded: No params.yaml" in collected
    assert "second" in run("status")
    run("export", "first", "-o", "out")
    right = [truths[picture_key(sample.image)] == sample.text for sample in load_crops(tmp_path / "out")]
    assert sum(right) / len(right) > 0.9
    run("export", "first", "-o", "votes", "--form", "votes")
    assert "exists already" in run("export", "first", "-o", "out", status=2)


def test_a_job_that_nobody_has_answered_is_told_as_one(run, tmp_path: Path, samples) -> None:
    write_crops(samples[:3], tmp_path / "words")
    run("new", "first", "--from", "words")
    assert "nan" not in run("status", "first")
    assert "Nobody has answered yet: no job second is made." in run("collect", "first", "--adjudicate", "second")


def test_pictures_that_cannot_be_read_are_left_out_of_a_job_with_a_word(run, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert "No picture in pages can be read." in run("new", "a", "--from", "pages", "--template", "kind", status=2)
    PIL.Image.new("L", (60, 40), 255).save(pages / "good.png")
    (pages / "letter.pdf").touch()
    (pages / "more").mkdir()
    said = run("new", "a", "--from", "pages", "--template", "kind")
    assert "broken.png is neither an image in a known format nor a PDF. It is left out." in said
    assert "2 PDFs and folders in pages are left out" in said
    assert "a: 1 task," in said


@pytest.mark.parametrize("form", ["words", "pages"])
def test_equal_pictures_are_asked_about_once_unless_each_is_wanted(run, tmp_path: Path, samples, form) -> None:
    template = {"words": "transcribe", "pages": "kind"}[form]
    if form == "words":
        write_crops([*samples[:3], samples[0], samples[0]], tmp_path / form)
    else:
        (tmp_path / form).mkdir()
        for number, grey in enumerate([0, 90, 200, 0, 0]):
            PIL.Image.new("L", (60, 40), grey).save(tmp_path / form / f"{number}.png")
    options = ["--from", form, "--template", template, "--order", "given"]
    said = run("new", "once", *options)
    assert "2 pictures are equal to another one, dot for dot, and not asked about again" in said
    assert "once: 3 tasks," in said
    said = run("new", "each", *options, "--equal")
    assert "equal to another" not in said
    assert "each: 5 tasks," in said
    assert "few: 2 tasks," in run("new", "few", *options, "--count", "2")


def test_the_audit_tells_what_was_shown_and_that_nothing_was(run, tmp_path: Path) -> None:
    with Store(tmp_path / "labelling" / "jobs.db", make=True) as store:
        assert run("status") == "There are no jobs yet: make one with `ocrkit label new`.\n"
        for name in ("first", "second"):
            store.add_job(name, load_template("transcribe"), blank_tasks(2))
        assert run("status", "--audit") == "Nothing has been shown to anybody yet, and nothing refused.\n"
        answer_all(store, store.job("first"), {"t0": "a", "t1": "b"}, {"Ada": 1.0})
        store.refuse("login", address="192.0.2.1")
    told = run("status", "--audit")
    assert len(told.splitlines()) == 3
    assert "shown  Ada  task 1\n" in told
    assert "refused: login  192.0.2.1" in told
    assert len(run("status", "first", "--audit").splitlines()) == 2
    assert "Nothing has been shown" in run("status", "second", "--audit")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["new", "a", "--from", "none"], "There is no folder none."),
        (["new", "a b", "--from", "none"], "'a b' is no name for a job"),  # said before anything is read
        (["new", "a", "--from", ".", "--template", "mine.toml"], "There is no template 'mine.toml'"),
        (["serve", "a"], "There are no jobs in labelling/jobs.db: make one with `ocrkit label new`."),
        (["status", "a"], "There are no jobs in"),
        (["preview", "nothing"], "There is no template 'nothing'"),
        (["export", "a", "-o", "b"], "There are no jobs in"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run, words: list[str], sentence: str) -> None:
    output = run(*words, status=2)
    assert sentence in output
    assert "Traceback" not in output


def test_a_crowd_costs_nothing_until_its_cost_is_allowed_and_gets_nothing_private(run, tmp_path: Path) -> None:
    template = load_template("transcribe").model_copy(update={"pay_usd": 0.05})
    backwards = SimpleNamespace(seal=lambda key, about, text: text[::-1])  # in place of a vault
    with Store(tmp_path / "labelling" / "jobs.db", make=True, sealer=lambda source: backwards) as store:
        store.add_job("public", template, blank_tasks(10))
        store.add_job("donated", template, blank_tasks(2), "vault", "vault", private=True)
    output = run("send", "public", "--pool", "mturk", status=2)
    assert "no new requesters for Mechanical Turk since 30 July 2026" in output
    assert "--pool contractors, which is the default" in output
    assert "under no agreement" in run("send", "donated", "--pool", "mturk", "--most-usd", "9", status=2)
    output = run("send", "public", "--pool", "prolific", "--most-usd", "9", status=2)
    assert "--origin https://" in output


def test_people_are_invited_paused_and_dismissed(run, tmp_path: Path) -> None:
    with Store(tmp_path / "labelling" / "jobs.db", make=True):
        pass
    link = run("invite", "Ada", "--origin", "https://label.example.org").strip()
    assert link.startswith("https://label.example.org/#invitation=")
    assert run("worker", "Ada", "dismissed", "--why", "left") == "Ada is dismissed.\n"
    assert "take them back first" in run("invite", "Ada", status=2)
    assert "Nobody is called 'Ben'" in run("worker", "Ben", "paused", status=2)


def test_a_job_is_served_from_the_command_line_and_by_one_server_only(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    with Store(tmp_path / "jobs.db", make=True) as store:
        store.add_job("words", load_template("transcribe"), blank_tasks(2))
    command = [sys.executable, "-m", "ocrkit", "label", "serve", "words", "--local", "--port", "0", "--jobs"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    options = {"cwd": tmp_path, "env": environment, "text": True}
    server = subprocess.Popen([*command, "jobs.db"], stdout=subprocess.PIPE, **options)
    try:
        assert server.stdout
        address = server.stdout.readline().split()[1]
        assert address.startswith("http://localhost:")
        second = subprocess.run([*command, "jobs.db"], capture_output=True, check=False, **options)
        assert (second.returncode, "Another server has jobs.db" in second.stderr) == (2, True)
        page = urllib.request.urlopen(address, timeout=120)  # it listens before it says where
        assert "HttpOnly" in page.headers["set-cookie"]
    finally:
        server.terminate()
        server.wait()
