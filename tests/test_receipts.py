"""Real receipts read with the model the repository ships: how many of their words come back."""

from collections import Counter

import numpy as np
import pytest

from ocrkit import Reader
from ocrkit.datasets import book_page, load_pages
from ocrkit.engines.own import OwnEngine
from ocrkit.errors import BadModel
from ocrkit.metrics import PrecisionRecall, bag_of_words

RECEIPTS = 10
LEAST_RECALL = 0.5


@pytest.fixture(scope="module")
def reader():
    try:
        return Reader(threads=1)
    except BadModel as missing:
        pytest.skip(f"no released model to read with: {missing}")


def test_most_words_of_real_receipts_are_read(shared_data, reader, record_property):
    folder = shared_data / "sroie" / "val"
    if not folder.is_dir():
        pytest.skip(f"no receipts at {folder}")
    score = PrecisionRecall()
    for receipt in load_pages(folder, "sroie")[:RECEIPTS]:
        truth = " ".join(line.text for line in receipt.lines).split()
        found = [word.text for word in reader.read(receipt.path).words]
        score += bag_of_words(truth, found, caseless=True)
    record_property(
        "measured",
        f"{RECEIPTS} receipts of SROIE val, bags of words without case: word recall {score.recall:.3f}, "
        f"precision {score.precision:.3f}, F1 {score.f1:.3f} ({score.truth} words)",
    )
    assert score.recall > LEAST_RECALL


@pytest.mark.parametrize("quarters", [0, 1, 3])
def test_a_page_on_its_side_is_turned_and_an_upright_one_is_not(reader, quarters):
    page = book_page()
    found = reader.read(np.ascontiguousarray(np.rot90(page.image(), quarters))).pages[0]
    assert found.rotation == 90 * quarters
    score = bag_of_words(page.texts, [word.text for word in found.words], caseless=True)
    assert score.recall > 0.7


def test_boxes_of_a_turned_page_come_back_in_the_pixels_given(reader):
    engine = OwnEngine(threads=1)
    upright = book_page().image()
    words = engine.read(upright).words
    once = {text for text, times in Counter(word.text for word in words).items() if times == 1}
    expected = {word.text: word.box for word in words if word.text in once}
    sideways = engine.read(np.ascontiguousarray(np.rot90(upright)))  # counter-clockwise: (x, y) -> (y, width - x)
    assert (sideways.width, sideways.height) == (upright.shape[0], upright.shape[1])
    both = [word for word in sideways.words if len(word.text) > 5 and word.text in expected]
    assert len(both) > 5
    for word in both:
        x0, y0, x1, y1 = expected[word.text]
        np.testing.assert_allclose(word.box, [y0, upright.shape[1] - x1, y1, upright.shape[1] - x0], atol=3)
