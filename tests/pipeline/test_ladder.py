"""The ladder of improvements: what its rungs are, what it may read, and that it goes on where it stopped."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import csv
import json
import shutil
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from ocrkit.datasets import half_of
from ocrkit.experiment import params, paths, track
from ocrkit.metrics import Interval
from ocrkit.studies import figures, ladder
from ocrkit.studies.sections import SECTIONS, Folder, Ladder
from ocrkit.synth.corpus import Vocabulary

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that ocrkit takes for a project, with a store of runs of its own."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(REPO / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for name in ("DVC_ROOT", "DVC_STAGE", "OCRKIT_OUT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def options(project: Path) -> Ladder:
    return params.params("ladder", SECTIONS, {"profile": "smoke"})


def test_rungs_begin_without_any_improvement_and_each_adds_one(options):
    flat = [params.flatten(rung) for rung in ladder.rungs(options).values()]
    added = [{name for name in above if above[name] != below[name]} for below, above in pairwise(flat)]
    assert added == [
        {"corpus.receipts"},
        {"fonts.thermal"},
        {"fonts.by_frequency"},
        {"negatives"},
        {"corpus.symbol_boost"},
        {"distortions.warps"},
    ]
    assert flat[-1] == params.flatten(options)


def test_of_labelled_pages_only_the_half_is_read_that_rules_are_tuned_on(tmp_path):
    rows = ["file,text", *(f"{number}.png,word" for number in range(12)), "13.png,two words"]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    for number in [*range(12), 13]:
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((12, 40), 200, np.uint8))
    documents = {s.document for s in ladder._real_words(Folder(path=str(tmp_path), form="crops", use="test"))}
    assert documents == {f"{number}.png" for number in range(12) if half_of(f"{number}.png") == "tune"}
    assert 0 < len(documents) < 12


def test_a_test_without_case_counts_capitals_as_right():
    class Word:
        text = "Total"

    assert ladder.Test([Word(), Word()]).score(["TOTAL", "Total"]).value == 0.5
    assert ladder.Test([Word(), Word()], caseless=True).score(["TOTAL", "Total"]).value == 1.0


def test_the_chart_has_a_panel_a_test_and_a_bar_a_rung():
    scores = {"value": 0.5, "low": 0.4, "high": 0.6}
    results = {
        "tests": {"invented": {"words": 1200}, "real": {"words": 47}},
        "rungs": [
            {"name": "0. none", "scores": {"invented": scores, "real": scores}},
            {"name": "1. all", "scores": {"invented": {**scores, "value": 0.55}, "real": scores}},
        ],
    }
    panels = figures.climbed(results).axes
    assert [panel.get_title() for panel in panels] == ["invented\n1,200 crops", "real\n47 crops"]
    assert [[bar.get_width() for bar in panel.patches] for panel in panels] == [[0.5, 0.55], [0.5, 0.5]]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["0. none", "1. all"]
    assert [line.get_xdata().tolist() for line in panels[0].lines] == [[0.4, 0.6]] * 2


@pytest.mark.timeout(900)  # TensorFlow and MLflow both start up here
def test_a_ladder_records_its_rungs_below_one_run_and_goes_on_where_it_stopped(project, options, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    monkeypatch.setattr(ladder, "RUNGS", {switch: ladder.RUNGS[switch] for switch in ("", "warps")})
    few = Vocabulary(words=("total", "receipt", "thank", "you", "Seven"))
    monkeypatch.setattr(ladder, "build_vocabulary", lambda *_, **__: few)
    read, calls = ladder.read_all, []

    def stops_at_the_second_rung(*arguments):
        calls.append(arguments)
        if len(calls) == 4:  # three tests a rung
            raise KeyboardInterrupt
        return read(*arguments)

    monkeypatch.setattr(ladder, "read_all", stops_at_the_second_rung)
    with pytest.raises(KeyboardInterrupt):
        ladder.climb(options, track.start("ladder", options))
    monkeypatch.setattr(ladder, "read_all", read)
    trained = {path: path.stat().st_mtime_ns for path in (project / "scratch/ladder").glob("*/state.npz")}
    whole = track.start("ladder", options, name="Ladder of improvements")
    results = ladder.climb(options, whole)
    assert {path: path.stat().st_mtime_ns for path in (project / "scratch/ladder").glob("*/state.npz")} == trained
    assert len(trained) == 2
    whole.end({}, results)
    assert json.loads((project / "scratch/metrics/ladder.json").read_text()) == json.loads(json.dumps(results))
    assert (results["commit"], results["changed_since"]) == ("unknown", None)

    assert [rung["name"] for rung in results["rungs"]] == ["0. First version", "1. Warps, shadows, creases"]
    assert results["tests"].keys() == {"Invented words in unseen fonts", "Crops without text", "Book page"}
    for rung in results["rungs"]:
        for score in rung["scores"].values():
            assert 0 <= Interval(**score).low <= score["value"] <= score["high"] <= 1
    rows = list(csv.DictReader(ladder.as_csv(results).splitlines()))
    assert len(rows) == 6
    assert {row["words_digest"] for row in rows} == {rung["words_digest"] for rung in results["rungs"]}

    from mlflow import MlflowClient

    client = MlflowClient(paths.tracking_uri())
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = {run.info.run_id: run for run in client.search_runs(experiments, order_by=["attributes.start_time"])}
    whole = [run for run in runs.values() if run.info.run_name == "Ladder of improvements"][-1]
    parts = [run for run in runs.values() if run.data.tags.get("mlflow.parentRunId") == whole.info.run_id]
    assert [part.info.run_name for part in parts] == [rung["name"] for rung in results["rungs"]]
    assert {run.info.status for run in (whole, *parts)} == {"FINISHED"}
    for part, rung in zip(parts, results["rungs"]):
        assert part.data.tags["mlflow.note.content"].startswith(rung["story"])
        assert part.data.metrics["Crops without text.value"] == rung["scores"]["Crops without text"]["value"]
        assert len(client.get_metric_history(part.info.run_id, "loss")) == 1
