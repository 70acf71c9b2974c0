"""Words that two readers read differently: found, asked about, and counted by what people say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ocrkit.datasets import LabelledPage, LabelledWord
from ocrkit.document import Line, Page, Word, box_to_quad
from ocrkit.labelling.jobs import Store
from ocrkit.labelling.templates import load_template
from ocrkit.studies.disagreements import (
    MOST_STRIPS,
    disagreements,
    keep_strips,
    load_strips,
    strips_of,
    tasks_of,
    verified,
)

PIXELS = np.random.default_rng(3).integers(0, 255, (80, 400), np.uint8)
ABOUT = {"document": "d1", "kind": "receipt"}


def page_of(*words: tuple[str, int]) -> Page:
    """Words of one line by their left edges."""
    found = tuple(Word(text, box_to_quad((x, 20, x + 60, 50)), 0.9) for text, x in words)
    return Page(1, 400, 80, (Line(found),) if found else ())


CHAMPION = page_of(("Total", 10), ("9.90", 100), ("Thank", 200))
CHALLENGER = page_of(("total", 12), ("9.9O", 102), ("you", 300))


def test_places_that_overlap_are_compared_but_for_case_and_others_stand_alone() -> None:
    found = [(each.champion, each.challenger) for each in disagreements(CHAMPION, CHALLENGER)]
    assert found == [("9.90", "9.9O"), ("Thank", ""), ("", "you")]
    assert disagreements(CHAMPION, CHAMPION) == []
    assert len(disagreements(CHAMPION, page_of())) == 3


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([{"text": "9.90"}, {"text": "Thank"}, {"choice": "no-text"}], -1),
        ([{"text": "9.9O"}, {"choice": "no-text"}, {"text": "YOU"}], 1),
        ([{"text": "9.90"}, {"text": "Thanks"}, {"text": "you"}], 0),
        ([{"choice": "unreadable"}] * 3, 0),  # a flag speaks for nobody
        ([{"text": "9.90"}, {"text": "Thank"}], None),  # the third word waits
    ],
)
def test_a_document_is_won_by_who_read_more_of_its_differing_words_right(answers: list, outcome: int | None) -> None:
    page = LabelledPage("p", pixels=PIXELS)
    tasks = tasks_of(page, PIXELS, disagreements(CHAMPION, CHALLENGER), ABOUT)
    with Store(None) as store:
        job = store.add_job("j", load_template("verify").model_copy(update={"alphabet": "any"}), tasks)
        ada = store.worker("Ada", "notebook", make=True)
        for number, value in enumerate(answers):
            store.answer(job, ada, store.lease(job, ada).task, value, 1, str(number))
        told, waiting = verified(store, job)
    assert waiting == (outcome is None)
    assert [(it.document, it.kind, it.outcome) for it in told] == ([] if waiting else [("d1", "receipt", outcome)])


def test_neither_reader_is_the_one_that_people_are_led_to() -> None:
    page = LabelledPage("p", pixels=PIXELS)
    first = []
    for number in range(40):
        (task,) = tasks_of(page, PIXELS, disagreements(CHAMPION, CHALLENGER)[:1], {**ABOUT, "document": str(number)})
        assert task.content["reading"] == task.content["candidates"][0]
        first.append(task.content["reading"])
    assert 8 < first.count("9.90") < 32


def test_of_a_donated_page_no_picture_is_kept() -> None:
    labels = (LabelledWord("9.90", box_to_quad((100, 20, 160, 50))),)
    page = LabelledPage("p", labels, pixels=PIXELS, private=True)
    differing = disagreements(CHAMPION, CHALLENGER)
    assert all(task.picture is None and "quad" in task.content for task in tasks_of(page, PIXELS, differing, ABOUT))
    found = {"champion": CHAMPION, "challenger": CHALLENGER}
    assert strips_of(page, PIXELS, found) == []
    (strip,) = strips_of(LabelledPage("p", labels, pixels=PIXELS), PIXELS, found)
    assert (strip.truth, strip.champion, strip.challenger) == ("9.90", "9.90", "9.9O")


def test_strips_are_kept_until_there_are_enough(tmp_path: Path) -> None:
    labels = tuple(LabelledWord(text, box_to_quad((x, 20, x + 60, 50))) for text, x in (("9.90", 100), ("Thank", 200)))
    page = LabelledPage("p", labels, pixels=PIXELS)
    strips = strips_of(page, PIXELS, {"champion": CHAMPION, "challenger": CHALLENGER})
    path = tmp_path / "strips" / "a.json"
    assert load_strips(path) == []
    for number in range(1, 20):
        keep_strips(path, strips)
        assert len(load_strips(path)) == min(2 * number, MOST_STRIPS)
    again = load_strips(path)[1]
    assert (again.image == strips[1].image).all()
    assert (again.truth, again.champion, again.challenger) == ("Thank", "Thank", "")
