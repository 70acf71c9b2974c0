"""What takes longest comes first, so that no worker is left with a long test when the others have none."""

from __future__ import annotations

import pytest

# Parts of the names of tests, from the longest test to the shortest; in between, verbs that train come first.
_ORDER = (
    "harm_no_other",
    "lost_by_kill",
    "left_anywhere",
    "killed_run_leaves",
    "any_moment",
    "log_of_200",
    "stages_stale",
    "eight_calls",
    "",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests of this folder; all others stay where they are."""
    places = [number for number, item in enumerate(items) if item.path.parent.name == "hard"]
    for number, item in zip(places, sorted((items[number] for number in places), key=_rank)):
        items[number] = item


def _rank(item: pytest.Item) -> tuple[int, bool]:
    verb = getattr(item, "callspec", None) and item.callspec.params.get("verb")
    return next(rank for rank, part in enumerate(_ORDER) if part in item.name), not (verb and verb.heavy)
