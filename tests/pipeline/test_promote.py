"""`ocrkit promote`: the gate's rules one by one, and a registry in which a challenger is refused and then promoted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.errors import BadParams
from ocrkit.recognition.model import identity
from ocrkit.studies.promote import judge
from ocrkit.studies.sections import Promote

REPO = Path(__file__).resolve().parents[2]
GATE = Promote(seed=0, profile="default", pages=30, gain=0.0, loss=0.0, slower=1.1)
RELEASED = REPO / "models" / "released"
ENGINES = {"champion": "fast-print", "challenger": "fast-synthetic"}


def figures(
    overall=(0.04, 0.02, 0.06), receipts=(0.03, -0.01, 0.05), forms=(-0.01, -0.03, 0.01), seconds=0.1, pages=40
) -> dict:
    """A comparison as `ocrkit compare -o` writes it, the gains those of the challenger."""
    gains = {"all": overall, "receipts": receipts, "forms": forms}
    keys = ("f1", "f1_low", "f1_high")
    real = {"data": "real"}
    return {
        "engines": [{"engine": f"our {n}", "model": identity(RELEASED / m)} for n, m in ENGINES.items()],
        "scores": [
            {
                **real,
                "category": category,
                "engine": f"our {name}",
                "pages": pages,
                "f1": 0.8 + (name != "champion") * gain,
            }
            for category, (gain, _, _) in gains.items()
            for name in ENGINES
        ],
        "costs": [
            {**real, "engine": f"our {name}", "seconds_per_page": 0.1 if name == "champion" else seconds}
            for name in ENGINES
        ],
        "differences": [
            {
                **real,
                "category": category,
                "engine": "our challenger",
                "against": "our champion",
                **dict(zip(keys, gain)),
            }
            for category, gain in gains.items()
        ],
    }


def failed(**changed) -> list[str]:
    checks = judge(figures(**changed), "our champion", "our challenger", GATE)
    return [f"{check.rule}: {check.finding}" for check in checks if not check.passed]


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({}, ""),
        (
            {"overall": (0.04, 0.0, 0.08)},
            "better overall: F1 +0.040 (+0.000 to +0.080), all of it must lie above +0.000",
        ),
        ({"overall": (-0.04, -0.05, -0.03)}, "better overall: F1 -0.040"),
        ({"overall": (0.04, None, None)}, "better overall: F1 +0.040 (too few pages for an interval)"),
        ({"forms": (-0.05, -0.09, -0.01)}, "not worse on forms: F1 -0.050 (-0.090 to -0.010)"),
        ({"forms": (-0.05, None, None)}, ""),  # on a page or two nothing can be told
        ({"seconds": 0.109}, ""),
        ({"seconds": 0.12}, "not slower: 0.120 s a page, the champion 0.100 s, at most 1.1 times that"),
        ({"seconds": float("nan")}, "not slower: nan s a page"),  # it could read no page
        ({"pages": 29}, "enough pages: 29 real pages, 30 are asked for"),
    ],
)
def test_the_gate_refuses_for_one_reason_each(changed, because):
    reasons = failed(**changed)
    assert len(reasons) == (because != "")
    assert "".join(reasons).startswith(because)


def test_a_comparison_written_the_other_way_round_says_the_same():
    one = figures(forms=(-0.05, -0.09, -0.01))
    other = json.loads(json.dumps(one))
    for row in other["differences"]:
        row["engine"], row["against"] = row["against"], row["engine"]
        row["f1"], row["f1_low"], row["f1_high"] = -row["f1"], -row["f1_high"], -row["f1_low"]
    ours = ("our champion", "our challenger", GATE)
    assert list(judge(one, *ours)) == list(judge(other, *ours))


def test_simulated_pages_decide_nothing():
    simulated = {name: [{**row, "data": "simulated"} for row in rows] for name, rows in figures().items()}
    with pytest.raises(BadParams, match="no real pages that both our champion and our challenger have read"):
        list(judge(simulated, "our champion", "our challenger", GATE))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that ocrkit takes for a project."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(REPO / name, folder / name)
    return folder


@pytest.fixture
def promote(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(project)
    for name in ("DVC_ROOT", "DVC_STAGE", "MLFLOW_TRACKING_URI", "OCRKIT_PIPELINE_FILE"):
        monkeypatch.delenv(name, raising=False)

    def run(comparison: dict | str, model: Path = RELEASED / "fast-synthetic"):
        path = project / "comparison.json"
        path.write_text(comparison if isinstance(comparison, str) else json.dumps(comparison))
        done = CliRunner().invoke(main, ["promote", str(model), "--comparison", str(path)])
        return done.exit_code, done.output

    return run


@pytest.mark.parametrize(
    ("comparison", "sentence"),
    [
        ("{", "is no comparison"),
        ({"engines": []}, "lacks scores and costs and differences: write it with `ocrkit compare FOLDER --model"),
        ({**figures(), "engines": figures()["engines"][1:]}, "reads with the champion, fast-print (version 1):"),
        (
            {**figures(), "engines": figures()["engines"][:1]},
            "fast-synthetic as it is now: compare both",
        ),
        ({**figures(), "engines": [{"engine": "tesseract"}]}, "reads with the champion"),
    ],
)
def test_a_bad_comparison_is_told_in_one_sentence(promote, comparison, sentence):
    code, said = promote(comparison)
    assert code == 2
    assert sentence in said


def test_a_folder_that_was_written_over_is_not_judged_by_the_figures_of_what_it_held(promote, tmp_path):
    model = shutil.copytree(RELEASED / "fast-synthetic", tmp_path / "fast-synthetic")
    card = model / "card.json"
    card.write_text(card.read_text().replace('"temperature": 1', '"temperature": 2'))
    code, said = promote(figures(), model)
    assert code == 2
    assert f"reads with {model} as it is now" in said


def test_a_folder_without_a_model_is_told(promote, tmp_path):
    code, said = promote(figures(), tmp_path)
    assert code == 2
    assert f"There is no model '{tmp_path}'" in said


@pytest.mark.timeout(600)
def test_the_champion_changes_only_when_the_gate_is_passed_and_why_is_recorded(promote, project):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project}/mlflow.db")

    def holders(alias: str) -> list[str]:
        names = ("ocrkit-reader", "ocrkit-recognizer")
        models = [model for model in client.search_registered_models() if alias in model.aliases]
        assert [model.name for model in models] in ([], list(names))
        return [client.get_model_version_by_alias(model.name, alias).tags["model"] for model in models]

    code, said = promote(figures(forms=(-0.05, -0.09, -0.01)))
    assert code == 1
    why = "not worse on forms: F1 -0.050 (-0.090 to -0.010)"
    assert "fast-synthetic (version 2) is refused and fast-print (version 1) stays champion." in said
    assert f"Rules not kept: {why}." in said
    assert (holders("champion"), holders("challenger")) == (["fast-print"] * 2, ["fast-synthetic"] * 2)
    version = client.get_model_version_by_alias("ocrkit-reader", "challenger")
    assert version.tags["gate"] == "refused"
    assert why in version.description
    assert "The model `fast-synthetic`, trained on synthetic words only; registered by " in version.description
    refused = client.get_run(version.tags["gate.run"])
    assert refused.info.run_name == "fast-synthetic against fast-print"
    assert refused.data.metrics["f1.gain.forms.gain_high"] == -0.01
    assert "| **no** | not worse on forms |" in refused.data.tags["mlflow.note.content"]
    files = {file.path for file in client.list_artifacts(refused.info.run_id)}
    assert {"comparison.json", "gate.json", "decisions.png"} <= files
    assert refused.data.tags["gate.broken"] == "not worse on forms"

    # The same bytes under another name are the same model.
    code, said = promote(figures(), shutil.copytree(RELEASED / "fast-synthetic", project / "renamed"))
    assert code == 0, said
    assert "fast-synthetic (version 2) is the champion now, in place of fast-print (version 1)." in said
    assert (holders("champion"), holders("challenger")) == (["fast-synthetic"] * 2, [])
    champion = client.get_model_version_by_alias("ocrkit-reader", "champion")
    assert (champion.version, champion.tags["gate"]) == (version.version, "passed")
    assert len(client.search_runs([refused.info.experiment_id])) == 2

    client.set_registered_model_alias("ocrkit-reader", "challenger", version.version)  # as a kill leaves it
    code, said = promote(figures())
    assert code == 2
    assert "holds the very model that is the champion already." in said
    assert holders("challenger") == []
