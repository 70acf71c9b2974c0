"""`ocrkit rollout` over a real store of MLflow: steps, the end, stopping, two at once, kills, a store that is down."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.document import Line, Page, Word, box_to_quad
from ocrkit.errors import BadParams
from ocrkit.experiment.kept import StoreDown
from ocrkit.labelling import jobs
from ocrkit.labelling.simulate import blank_tasks
from ocrkit.recognition.model import find_model
from ocrkit.rollout import Numbers, Observation, Pin, State
from ocrkit.rollout.ledger import pseudonym
from ocrkit.service.intake import hand_in_bytes
from ocrkit.service.queue import Queue
from ocrkit.service.readers import WorkOptions
from ocrkit.service.store import Store
from ocrkit.service.work import Work
from ocrkit.studies import rollout as rollouts_module
from ocrkit.studies.promote import promote
from ocrkit.studies.rollout import Rollouts, ask
from ocrkit.studies.versions import Versions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
REPO = Path(__file__).resolve().parents[2]
sys.path.append(str(REPO / "tests/service"))
STORE = Path("data/rollout")
READERS = ("ocrkit-reader", "ocrkit-recognizer")
# How many moments of a move a process is killed at; 60 are all. `make hard` kills steps at a hundred, as other verbs.
KILLS = int(os.environ.get("OCRKIT_HARD_KILLS", "1"))


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory):
    """A folder that ocrkit takes for a project, with a store of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(REPO / name, folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("DVC_ROOT", "DVC_STAGE", "MLFLOW_TRACKING_URI", "OCRKIT_PIPELINE_FILE"):
            patch.delenv(name, raising=False)
        yield folder


@pytest.fixture
def rollouts():
    """What moves the rollout; whatever runs is stopped afterwards."""
    made = Rollouts(STORE)
    yield made
    if made.state().is_running:
        made.stop("The test is over.")


def said(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["rollout", *arguments])
    assert done.exit_code == code, done.output
    return done.output


def fill(rollouts: Rollouts, better: bool = True) -> None:
    """Evidence for the present step: documents that both have read, and labelled ones."""
    state = rollouts.state()
    for number in range(60):
        name = pseudonym(state.salt, f"{state.step}/{number}")
        numbers = Numbers(0.2, words=30, confidence=0.9, letter_height=12.0)
        rollouts.ledger.observe(
            state.salt, Observation(name, state.step, "receipt", "champion", numbers, numbers, 3, float(number))
        )
        outcome = (1 if number % 4 else -1) if better else -1
        rollouts.ledger.judge(state.salt, name, "receipt", outcome, float(number))


def holders(rollouts: Rollouts, alias: str) -> list[str]:
    """The versions that an alias stands at, of both registered models."""
    models = [model for model in rollouts.registry.client.search_registered_models() if alias in model.aliases]
    return [str(model.aliases[alias]) for model in models]


def test_a_challenger_rises_step_by_step_and_everybody_follows(rollouts):
    assert said("status").startswith("ocrkit-reader:1 is the champion.\nNo rollout has been yet.")
    assert "No rollout runs" in said("step", code=2)
    told = said("start", "fast-synthetic")
    assert told.startswith("ocrkit-reader:2 is tried against ocrkit-reader:1, step 0 (shadow): nobody is served by it")
    assert holders(rollouts, "challenger") == ["2", "2"]
    assert "runs already" in said("start", "engine:tesseract", code=2)
    told = said("step")
    assert "NOT KEPT enough documents: 0 read by both at this step, 50 are asked for" in told
    for stage in ("1 %", "5 %", "25 %"):
        fill(rollouts)
        assert f"it serves {stage} of the documents" in said("step")
        assert holders(rollouts, "champion") == ["1", "1"]
    with pytest.raises(BadParams, match="A rollout of ocrkit-reader:2 runs"):
        promote(find_model("fast-synthetic"), _comparison())
    fill(rollouts)
    assert said("step").splitlines()[-1].startswith("ocrkit-reader:2 is the champion, for everybody.")
    assert (holders(rollouts, "champion"), holders(rollouts, "challenger")) == (["2", "2"], [])
    assert ask().champion == Pin("ocrkit-reader", "2")

    client = rollouts.registry.client
    experiment = client.get_experiment_by_name("Champion").experiment_id
    runs = client.search_runs([experiment], "tags.stage = 'rollout'")
    assert [run.data.tags["rollout.to"] for run in reversed(runs)] == ["shadow", "1 %", "5 %", "25 %", "won"]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert "| yes | better on labelled documents |" in runs[0].data.tags["mlflow.note.content"]
    assert {"evidence.png", "rules.json"} <= {file.path for file in client.list_artifacts(runs[0].info.run_id)}


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_reading_service_follows_each_move_and_reads_on_while_mlflow_is_down(
    rollouts, tmp_path, monkeypatch, dead_port
):
    from service_readers import document

    store = Store(tmp_path / "service")
    queue = Queue(store.queue)
    (other,) = {"fast-print", "fast-synthetic"} - {rollouts.registry.champion().tags["model"]}
    state = rollouts.start(other)
    champion, challenger = int(state.champion.version), int(state.challenger.version)
    versions = Versions(tmp_path / "models", queue.withdraw, every_s=0.2)
    keys = [f"user {number}" for number in range(60)]
    work = Work(store, WorkOptions(make="service_readers:echo", model=versions.choose("").folder))
    work.start()

    def hand_in(key: str, says: str) -> str:
        return hand_in_bytes(store, queue, document(says), "one.pdf", versions.choose, key=key)[0].id

    def reader_of(identity: str) -> int | None:
        until(lambda: queue.job(identity).state == "done")
        return store.result(identity).reader.version

    def chosen() -> dict[str, int | None]:
        return {key: versions.choose(key).version for key in keys}

    assert set(chosen().values()) == {champion}
    for _ in range(3):
        fill(rollouts)
        rollouts.step()
    until(lambda: set(chosen().values()) == {champion, challenger})
    at_25 = chosen()
    for version in (champion, challenger):
        key = next(key for key in keys if at_25[key] == version)
        assert reader_of(hand_in(key, f"for {key}")) == version

    with monkeypatch.context() as down:
        down.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{dead_port}")
        again = Versions(tmp_path / "models", every_s=0)  # a restart
        assert {key: again.choose(key).version for key in keys} == at_25
        versions.refresh()
        assert chosen() == at_25

    work.stop()
    waiting = hand_in(key, "for later")
    assert queue.job(waiting).model.version == challenger
    rollouts.stop("The test is over.")
    until(lambda: queue.job(waiting).model.version == champion)
    assert set(chosen().values()) == {champion}
    versions.close()


def test_harm_stops_it_and_the_champion_stays(rollouts):
    rollouts.start("fast-print")
    champion = rollouts.state().champion
    fill(rollouts, better=False)
    told = said("step", code=1)
    assert "NOT KEPT not worse: 0 better, 60 worse, 0 alike" in told
    assert f"{champion} is the champion; ocrkit-reader:1 was stopped." in told
    assert rollouts.state().outcome == "stopped"
    assert holders(rollouts, "challenger") == []


def test_a_person_stops_it_with_a_reason_and_watch_ends_with_it(rollouts):
    rollouts.start("fast-print")
    assert "was stopped" in said("stop", "--reason", "The lawyers ask.")
    assert "The lawyers ask." in said("status")
    assert said("watch") == "ocrkit: no rollout runs: there is nothing to watch.\n"


@pytest.mark.parametrize(
    ("challenger", "says"),
    [
        ("engine:nobody", "There is no other engine 'nobody'"),
        ("engine:ours", "There is no other engine 'ours'"),
        ("version:99", "The registry has no version '99'"),
        ("no-such-model", "There is no model 'no-such-model'"),
        ("version:2", "is the champion already"),
    ],
)
def test_what_cannot_be_a_challenger_moves_nothing(rollouts, challenger, says):
    before = rollouts.state()
    assert says in said("start", challenger, code=2)
    assert rollouts.state() == before


def test_a_challenger_that_does_not_load_moves_nothing(rollouts, monkeypatch):
    before = rollouts.state()

    def load(*arguments: object) -> None:
        raise BadParams("Its weights are of another network.")

    monkeypatch.setattr(rollouts_module, "load", load)
    with pytest.raises(BadParams, match="does not load or read, so nothing moves: Its weights are of another"):
        rollouts.start("fast-print")
    assert rollouts.state() == before


def test_a_store_that_goes_down_in_the_middle_leaves_the_old_state(rollouts, monkeypatch):
    from mlflow.exceptions import MlflowException

    state = rollouts.start("fast-print")
    fill(rollouts)

    def down(*arguments: object) -> None:
        raise MlflowException("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(type(rollouts.registry.client), "set_registered_model_tag", down)
        with pytest.raises(StoreDown, match="went down on the way: see `ocrkit rollout status`"):
            rollouts.step()
    assert rollouts.state() == state


def test_a_registry_of_a_later_version_is_not_touched(rollouts, monkeypatch):
    state = rollouts.start("fast-print")
    client = rollouts.registry.client
    client.set_registered_model_tag("ocrkit-reader", "rollout", state.to_json().replace('"form": 1', '"form": 2'))
    for verb in ("status", "step", "stop"):
        assert "has form 2; this version of ocrkit knows 1: upgrade it" in said(verb, code=2)
    client.set_registered_model_tag("ocrkit-reader", "rollout", state.to_json())


class Fixed:
    """Reads the same words on every page, and on a blank one none."""

    def __init__(self, *texts: str) -> None:
        boxes = [(20 + 120 * i, 40, 110 + 120 * i, 80) for i in range(len(texts))]
        words = tuple(Word(text, box_to_quad(box), 0.9) for text, box in zip(texts, boxes))
        self.page = Page(1, 600, 120, (Line(words),))

    def read(self, image: np.ndarray) -> Page:
        return self.page if image.min() < 255 else Page(1, 600, 120)

    def close(self) -> None:
        pass


def test_what_people_say_about_disagreements_is_evidence_and_the_move_shows_them(rollouts, project, monkeypatch):
    """Two commands, `rollout ask` and `rollout judge --job`; between them people answer."""
    champion = rollouts.state().champion
    old, new = Fixed("Total", "9.9O", "Thank"), Fixed("Total", "9.90", "Thanks")
    monkeypatch.setattr(Rollouts, "load", lambda self, pin, role: old if pin == champion else new)
    state = rollouts.start("fast-synthetic" if champion.version == "1" else "fast-print")
    folder = project / "photos"
    folder.mkdir(exist_ok=True)
    for number in range(3):
        image = np.full((120, 600), 255, np.uint8)
        if number:
            cv2.putText(image, "Total 9.90 Thanks", (20, 75), cv2.FONT_HERSHEY_SIMPLEX, 1.5, number, 2)
        cv2.imwrite(str(folder / f"p{number}.png"), image)

    def label(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["label", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    (project / "paid.toml").write_text('extends = "verify"\npay_usd = 0.05\n')
    told = said("ask", "doubts", "photos", "--kind", "receipt", "--template", "paid.toml", "--redundancy", "2")
    assert "doubts: 4 words of 2 pages differ." in told
    assert sum(tally.documents for tally in rollouts.ledger.summary(state.salt, 0, 1.5, 0.05).verdicts.values()) == 1
    assert "0 pages, 0 of them new" in said("judge", "--job", "doubts")
    with jobs.Store(Path("labelling/jobs.db")) as store:
        job = store.job("doubts")
        for name in ("Ada", "Ben"):
            person = store.worker(name, "contractors", make=True)
            while lease := store.lease(job, person):
                text = "9.90" if lease.content["champion"] == "9.9O" else "Thanks"
                store.answer(job, person, lease.task, {"text": text}, 3.0, f"{name}{lease.task}")
        store.add_job("other", job.template, blank_tasks(1))
    assert "is not about this rollout" in said("judge", "--job", "other", code=2)
    assert "Recorded in MLflow's experiment Labelling" in label("collect", "doubts")
    told = said("judge", "--job", "doubts")
    assert told == "2 pages, 2 of them new: the challenger read 2 better, 0 worse, 0 alike.\n"
    assert "2 pages, 0 of them new" in said("judge", "--job", "doubts")
    rollouts.stop("Shown.")

    client = rollouts.registry.client
    (run,) = client.search_runs([client.get_experiment_by_name("Labelling").experiment_id])
    numbers = run.data.metrics
    assert run.info.status == "FINISHED"
    assert (numbers["alpha"], numbers["answers"], numbers["words_per_hour"]) == (1.0, 8.0, 1200.0)
    assert numbers["cost_usd"] == pytest.approx(8 * 0.05)
    assert {"people.json"} <= {file.path for file in client.list_artifacts(run.info.run_id)}
    moves = client.search_runs([client.get_experiment_by_name("Champion").experiment_id], "tags.stage = 'rollout'")
    assert "disagreements.png" in {file.path for file in client.list_artifacts(moves[0].info.run_id)}


STEP = """
import os, signal, sys
from pathlib import Path
import mlflow
from ocrkit.studies.rollout import Rollouts
rollouts, left = Rollouts(Path("data/rollout")), int(sys.argv[1])
def counted(method):
    def call(self, *arguments, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(self, *arguments, **named)
    return call
for name in dir(mlflow.MlflowClient):
    if name.startswith(("set_", "log_", "create_", "delete_", "update_")):
        setattr(mlflow.MlflowClient, name, counted(getattr(mlflow.MlflowClient, name)))
print("moved to", rollouts.step()[0].stage)
"""


def stepping(kill_at: int = 0) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    command = [sys.executable, "-c", STEP, str(kill_at)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_steps_at_once_move_it_once(rollouts):
    state = rollouts.start("fast-print")
    fill(rollouts)
    both = [stepping(), stepping()]
    ends = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    assert rollouts.state().epoch == state.epoch + 1
    assert rollouts.state().stage == "1 %"
    assert {out for out, _ in ends} == {"moved to 1 %\n"}


def test_a_move_that_is_killed_is_made_whole_or_not_at_all(rollouts):
    state = rollouts.start("fast-print")
    fill(rollouts)
    # Writes of a move: the run with its values, the tag, then what tells of it.
    moments = [3, 30, *range(4, 30), *range(1, 3), *range(31, 60)][:KILLS]
    for moment in moments:
        process = stepping(moment)
        process.communicate()
        now: State = Rollouts(STORE).state()
        assert now.epoch in (state.epoch, state.epoch + 1)
        assert now == state or (now.is_running and now.step == state.step + 1)
        if now != state:
            state = now
            fill(rollouts)
        if process.returncode == 0:
            break
    told = said("status")
    assert "is tried against" in told
    rollouts.stop("Enough.")
    experiment = rollouts.registry.client.get_experiment_by_name("Champion").experiment_id
    running = "tags.stage = 'rollout' and attributes.status = 'RUNNING'"
    assert rollouts.registry.client.search_runs([experiment], running) == []


def _comparison() -> Path:
    path = Path("comparison.json")
    path.write_text('{"engines": [], "scores": [], "costs": [], "differences": []}')
    return path
