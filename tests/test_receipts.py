"""Real receipts read with the model the repository ships: how many of their words come back."""

import pytest

from ocrkit import Reader
from ocrkit.datasets import load_pages
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
