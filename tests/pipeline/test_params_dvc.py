"""DVC writes params.yaml and dvc.yaml anew when it changes a value: nothing but that value may differ then."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml"])
def test_what_dvc_writes_without_a_change_is_the_same_byte_by_byte(tmp_path, name):
    copy = Path(shutil.copyfile(REPO / name, tmp_path / name))
    with modify_yaml(copy):
        pass
    assert copy.read_bytes() == (REPO / name).read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        "train.epochs=40",
        "train.learning_rate=0.00001",
        "base.profile=smoke",
        "synthesise.distortions.bleed=0.25",
        "synthesise.corpus.symbol_boost=true",
        "synthesise.books=../books of mine",
        "finetune.parts=[0.5]",
        "profiles.full.train.size=fast",
    ],
)
def test_an_experiment_changes_one_line_and_keeps_its_comment(tmp_path, change):
    copy = Path(shutil.copyfile(REPO / "params.yaml", tmp_path / "params.yaml"))
    apply_overrides(copy, [change])  # what `dvc exp run --set-param` does
    old, new = ((folder / "params.yaml").read_text().splitlines() for folder in (REPO, tmp_path))
    changes = [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
    assert [line[0] for line in changes] == ["-", "+"]
    assert changes[0].partition("#")[2] == changes[1].partition("#")[2]


def test_every_value_of_a_section_says_what_it_is(tmp_path):
    """A comment beside it, or beside the table or list around it; profiles repeat values and need none."""
    lines = (REPO / "params.yaml").read_text().partition("\nprofiles:")[0].splitlines()
    values = [line for line in lines if line.startswith("  ") and not line.lstrip().startswith(("#", "-"))]
    assert len(values) > 80
    assert [line for line in values if "#" not in line] == []
