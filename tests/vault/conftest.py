"""A vault for each test, and a process that forgets afterwards that it has opened one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("pyrage", reason="pyrage comes with the extra vault")

from vaults import WORD, Lab, consent, write_pages

from ocrkit import errors, privacy
from ocrkit.datasets import load_pages
from ocrkit.datasets.vault import donated_pages
from ocrkit.vault import Vault

ENVIRONMENT = (
    "TMPDIR",
    "OCRKIT_VAULT_IS_OPEN",
    "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET",
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL",
)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of tests a process that has opened a vault stays one for good."""
    for name in (*ENVIRONMENT, "OCRKIT_VAULT_IDENTITY", "OCRKIT_VAULT_PASSPHRASE", privacy.MARK):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # so that what is set meanwhile is undone
        monkeypatch.delenv(name)
    monkeypatch.setattr(privacy, "_ever", False)
    monkeypatch.setattr(privacy, "_opened", {})
    monkeypatch.setattr(errors, "_withheld", False)
    monkeypatch.setattr(tempfile, "tempdir", tempfile.tempdir)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def donated(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A vault of six donors with a labelled page each."""
    write_pages(tmp_path / "plain", 6, ["total", WORD])
    monkeypatch.setenv("OCRKIT_VAULT_IDENTITY", str(lab.identity))
    pages = list(load_pages(tmp_path / "plain", "phone"))
    with Vault.open(lab.folder) as vault:
        for number, page in enumerate(pages):
            vault.add(f"donor-{number}", donated_pages([page]), consent(f"donor-{number}"))
    return lab
