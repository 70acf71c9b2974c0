"""The labels of the real pages, and the pictures where `make setup` could fetch them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from ocrkit.datasets import CATEGORIES, load_pages, load_real_pages, missing_real_pages
from ocrkit.datasets.public import DATA_SETS
from ocrkit.datasets.real_pages import LABELS
from ocrkit.errors import BadDataset
from ocrkit.images import to_grey

FOLDER = Path(__file__).parents[2] / "data" / "realpages"
PAGES = json.loads(LABELS.read_text("utf-8"))["pages"]
IDS = [page["id"] for page in PAGES]


def test_there_are_enough_pages_of_enough_kinds_with_enough_words_to_compare_on():
    assert len(set(IDS)) == len(PAGES) >= 12
    assert len({page["kind"] for page in PAGES}) >= 6
    assert min(Counter(page["category"] for page in PAGES if page["category"] != "other").values()) >= 2
    assert sum(bool(word["text"]) for page in PAGES for word in page["words"]) >= 2000


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_labels_are_single_words_inside_their_page(page):
    width, height = page["size"]
    for word in page["words"]:
        corners = np.array(word.get("quad") or np.reshape(word["box"], (2, 2)), float)
        assert (corners >= 0).all(), word
        assert (corners <= (width, height)).all(), word
        assert (np.ptp(corners, axis=0) >= 1).all(), word
        assert not re.search(r"\s", word["text"]), word
    assert page["category"] in CATEGORIES
    assert page["licence"]
    assert re.fullmatch("[0-9a-f]{64}", page["sha256"])
    assert page["folder"] in {part.folder for part in DATA_SETS["realpages"]}


@pytest.mark.parametrize("number", range(len(PAGES)), ids=IDS)
def test_the_pictures_are_those_that_were_labelled_with_ink_in_every_box(number):
    label = PAGES[number]
    page = next((page for page in load_real_pages(FOLDER) if page.id == label["id"]), None)
    if page is None:
        pytest.skip("its picture is not here: ocrkit data fetch realpages data/realpages")
    grey = to_grey(page.image())
    assert grey.shape[::-1] == tuple(label["size"])
    for word in page.readable:
        x0, y0 = np.maximum(word.box[:2].astype(int) - 2, 0)  # with some paper around a dash that fills its box
        x1, y1 = word.box[2:].astype(int) + 2
        assert np.ptp(grey[y0:y1, x0:x1]) > 60, word  # of 255


def test_pages_without_a_picture_are_left_out_and_named(tmp_path):
    assert missing_real_pages(tmp_path) == IDS
    assert list(load_real_pages(tmp_path)) == []
    with pytest.raises(BadDataset, match="holds no labels in realpages form"):
        load_pages(tmp_path, "realpages")


def test_another_picture_than_the_labelled_one_is_refused(tmp_path):
    other = tmp_path / PAGES[0]["folder"] / Path(PAGES[0]["member"]).name
    other.parent.mkdir()
    cv2.imwrite(str(other), np.zeros((9, 9), np.uint8))
    with pytest.raises(BadDataset, match="is not the picture that was labelled"):
        list(load_real_pages(tmp_path))
