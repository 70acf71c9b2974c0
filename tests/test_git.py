"""What git says, and that where it cannot say anything nobody takes that for a clean state."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ocrkit import git


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit, within no other."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name, value in {"NAME": "A", "EMAIL": "a@example.org"}.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "a").write_text("a")
    (tmp_path / "written").write_text("w")
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_the_commit_and_what_differs_from_it_are_told(repository):
    assert len(git.commit(repository) or "") == 40
    assert git.changed(repository) == []
    (repository / "written").write_text("differs")
    (repository / "made" / "a").write_text("differs")
    odd = ["new one", "äö", '"quoted"', "line\nend"]
    for name in odd:
        (repository / name).touch()
    assert sorted(git.changed(repository / "made", ["made"]) or ()) == sorted(["written", *odd])


@pytest.mark.parametrize("without", ["git", "a repository", "a commit"])
def test_where_git_cannot_answer_nothing_is_told(repository, monkeypatch, without):
    if without == "git":
        monkeypatch.setenv("PATH", "")
    elif without == "a repository":
        (repository / ".git").rename(repository / "gone")
    else:
        subprocess.run(["git", "update-ref", "-d", "HEAD"], cwd=repository, check=True)
    assert git.commit(repository) is None
    if without != "a commit":
        assert git.changed(repository) is None


def test_the_repository_asked_about_is_told_of_also_within_a_hook_of_another(repository, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("other")))
    assert git.commit(repository)
