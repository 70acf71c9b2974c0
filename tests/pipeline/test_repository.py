"""What this repository's own notebooks, dvc.yaml and params.yaml promise each other."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from ruamel.yaml import YAML

from ocrkit import files
from ocrkit.experiment import notebooks, params, pipeline
from ocrkit.studies.sections import SECTIONS

REPO = Path(__file__).resolve().parents[2]
PIPELINE = pipeline.read(REPO)
STAGES = pipeline.stages(REPO)
NOTEBOOKS = sorted((REPO / "notebooks").glob("*.ipynb"))


def test_every_notebook_has_a_stage_in_its_order_and_every_section_a_class():
    assert [stage.notebook for stage in STAGES.values()] == [notebook.stem for notebook in NOTEBOOKS]
    assert params.read(REPO, SECTIONS).keys() - {"base", "profiles"} == {*STAGES, "promote", "vault"} == SECTIONS.keys()


def test_every_profile_names_every_stage():
    for profile in params.read(REPO, SECTIONS)["profiles"].values():
        assert list(profile) == list(STAGES)


@pytest.mark.parametrize("stage", STAGES.values(), ids=str)
def test_dvc_declares_what_the_stage_writes_and_reads(stage):
    missing = set(stage.standard_outs) - set(stage.outs)
    # What is kept must be in git as a whole, or a clone would miss a part of it and make it anew.
    assert missing == (set(stage.standard_outs[1:]) if stage.frozen else set())
    assert stage.params == ("base", stage.name, f"profiles.${{base.profile}}.{stage.name}")
    assert stage.source in stage.deps
    assert stage.about


def test_a_frozen_stage_is_recorded_with_what_git_has():
    recorded = YAML(typ="safe").load((REPO / "dvc.lock").read_text())["stages"]
    for stage in STAGES.values():
        if stage.frozen:
            outs = {out["path"]: out["md5"] for out in recorded[stage.name]["outs"]}
            assert outs == {out: files.checksum(REPO / out, "md5") for out in stage.outs}
            declared = PIPELINE["stages"][stage.name]["outs"]
            assert declared == [{out: {"cache": False}} for out in stage.outs]


def test_nothing_depends_on_what_differs_in_every_run_or_on_all_of_the_code():
    deps = {dep for stage in STAGES.values() for dep in stage.deps}
    assert not [dep for dep in deps if dep.startswith(("runs", "reports", "notebooks", "ocrkit/experiment"))]
    assert not deps & {"ocrkit", "ocrkit/studies"}


def test_expensive_stages_can_be_brought_back_from_the_cache():
    # One uncached output switches DVC's run cache off for the whole stage.
    for stage in ("synthesise", "real", "train", "finetune"):
        assert all(isinstance(out, str) for out in PIPELINE["stages"][stage]["outs"]), stage


def test_every_stage_that_runs_shows_its_numbers():
    assert PIPELINE["metrics"] == [f"metrics/{stage.name}.json" for stage in STAGES.values() if not stage.frozen]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_notebooks_are_clean_short_and_take_overrides(notebook):
    assert notebooks.is_clean(notebook), "run `make clean-notebooks`"
    code = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    assert sum(len(cell.source.splitlines()) for cell in code) < 150
    assert [c.source for c in code if "parameters" in c.metadata.get("tags", [])] == ["overrides = {}"]
    assert f'start("{pipeline.stage_of(REPO, notebook.name).name}", overrides)' in "".join(c.source for c in code)
