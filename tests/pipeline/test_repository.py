"""What this repository's own notebooks, dvc.yaml and params.yaml promise each other."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from ruamel.yaml import YAML

from ocrkit.experiment import notebooks, paths
from ocrkit.studies.sections import SECTIONS

REPO = Path(__file__).resolve().parents[2]
PIPELINE = YAML(typ="safe").load((REPO / "dvc.yaml").read_text())
STAGES = PIPELINE["stages"]
NOTEBOOKS = sorted((REPO / "notebooks").glob("*.ipynb"))


def names(entries) -> list[str]:
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def test_stages_sections_and_notebooks_are_the_same_everywhere():
    assert list(STAGES) == list(paths.NOTEBOOKS) == [name for name in SECTIONS if name not in ("ladder", "promote")]
    assert [n.stem for n in NOTEBOOKS] == sorted(paths.NOTEBOOKS.values())


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_declares_what_the_stage_writes_and_reads(stage):
    declared, notebook = STAGES[stage], paths.NOTEBOOKS[stage]
    made = [place.path for place in paths.PLACES.values() if place.stage == stage]
    assert sorted(names(declared["outs"])) == sorted([*made, *paths.standard_outs(stage)])
    assert declared["params"] == ["base", stage, f"profiles.${{base.profile}}.{stage}"]
    assert declared["cmd"] == f"python -m ocrkit.experiment.run {notebook}"
    assert f"notebooks/{notebook}.ipynb" in declared["deps"]


def test_nothing_depends_on_what_differs_in_every_run_or_on_all_of_the_code():
    deps = {dep for stage in STAGES.values() for dep in stage["deps"]}
    assert not [dep for dep in deps if dep.startswith(("runs", "reports", "ocrkit/experiment")) or dep == "ocrkit"]


def test_expensive_stages_can_be_brought_back_from_the_cache():
    # One uncached output switches DVC's run cache off for the whole stage.
    for stage in ("synthesise", "real", "train", "finetune"):
        assert all(isinstance(out, str) for out in STAGES[stage]["outs"]), stage


def test_every_stage_shows_its_numbers():
    assert PIPELINE["metrics"] == [f"metrics/{stage}.json" for stage in STAGES]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_notebooks_are_clean_short_and_take_overrides(notebook):
    assert notebooks.is_clean(notebook), "run `make clean-notebooks`"
    code = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    assert sum(len(cell.source.splitlines()) for cell in code) < 150
    assert [c.source for c in code if "parameters" in c.metadata.get("tags", [])] == ["overrides = {}"]
    assert f'start("{paths.stage_of(notebook.name)}", overrides)' in "".join(c.source for c in code)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_a_notebook_uses_and_makes_what_dvc_declares(notebook):
    stage = paths.stage_of(notebook.name)
    text = "".join(c.source for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code")
    named = {place.path: place.stage for name, place in paths.PLACES.items() if f'"{name}"' in text}
    assert {place.path for place in paths.PLACES.values() if place.stage == stage} <= set(named)
    used = {path for path, maker in named.items() if maker != stage}
    assert used == {dep for dep in STAGES[stage]["deps"] if dep in {place.path for place in paths.PLACES.values()}}
