"""What git says about a folder; `None` where it cannot say anything: no git, no repository, or one it will not read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

UNKNOWN = "unknown"  # what is written down where git cannot say


def ask(folder: Path, *arguments: str) -> str | None:
    """What `git` prints, without the last line end; `None` where it fails or is not installed."""
    # Whoever calls us from a hook of git has these set, to another repository than the one asked about.
    clean = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE")}
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    except (OSError, UnicodeDecodeError):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def commit(folder: Path) -> str | None:
    """The commit that is checked out."""
    return ask(folder, "rev-parse", "--verify", "HEAD")


def changed(folder: Path, ignored: Iterable[str] = ()) -> list[str] | None:
    """Files of the whole repository that are not as in the commit that is checked out, new ones too.

    Args:
        folder: anywhere in the repository.
        ignored: files and folders that do not count, relative to the repository's root.
    """
    excluded = (f":(top,exclude,literal){path}" for path in ignored)
    answer = ask(folder, "status", "--porcelain", "-z", "--no-renames", "--", ":/", *excluded)
    return None if answer is None else [entry[3:] for entry in answer.split("\0") if entry]
