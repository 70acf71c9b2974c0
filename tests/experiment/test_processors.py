"""Whether a pipeline makes the same on several processors is told file by file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocrkit.errors import OcrkitError
from ocrkit.experiment import flow, processors, smoke

DVC_YAML = """
stages:
  train:
    cmd: python -m ocrkit.experiment.run 30_train
    outs: [models/trained, metrics/train.json, runs/train.json]
"""


@pytest.fixture
def ran(tmp_path, monkeypatch) -> list[dict]:
    """A project whose stage, instead of running, writes what the environment asks for if the copy is not strict."""
    (tmp_path / "params.yaml").write_text("base: {}\n")
    (tmp_path / "dvc.yaml").write_text(DVC_YAML)
    monkeypatch.chdir(tmp_path)
    environments: list[dict] = []
    copies: dict[Path, dict] = {}

    def new_copy(root, copy, **base):
        (copy / "models/trained").mkdir(parents=True)
        (copy / "runs").mkdir()
        (copy / "dvc.yaml").write_text(DVC_YAML)
        copies[copy] = base
        return copy

    def run_dvc(*arguments, cwd, extra):
        environments.append(dict(extra))
        made = "weights" if copies[cwd]["strict"] else f"weights of {extra.get('ONEDNN_MAX_CPU_ISA')}"
        (cwd / "models/trained/weights").write_text(made)
        (cwd / "runs/train.json").write_text(f"run {len(environments)}")

    monkeypatch.setattr(smoke, "new_copy", new_copy)
    monkeypatch.setattr(flow, "run_dvc", run_dvc)
    return environments


@pytest.mark.parametrize(("is_strict", "says"), [(True, "same  "), (False, "DIFFER")])
def test_outputs_are_compared_and_runs_are_not(is_strict, says, ran, capsys):
    assert processors.compare("train", "smoke", "", is_strict) is is_strict
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith(says)] == ["models/trained/weights"]
    assert not any("runs/train.json" in line for line in lines)
    assert [environment.get("ONEDNN_MAX_CPU_ISA") for environment in ran] == [None, "SSE41"]


def test_a_third_processor_is_emulated_by_the_kernel_that_jupyter_finds_first(ran, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    processors.compare("train", "smoke", "Haswell", True)
    spec = json.loads((Path(ran[2]["JUPYTER_PATH"]) / "kernels/python3/kernel.json").read_text())
    assert spec["argv"][:3] == ["/usr/bin/qemu-x86_64", "-cpu", "Haswell"]


def test_without_qemu_a_sentence_says_what_to_install(ran, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(OcrkitError, match="apt-get install qemu-user"):
        processors.compare("train", "smoke", "Haswell", True)
