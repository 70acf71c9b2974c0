"""The detector on real pages, where the development data lies; what it measured is printed at the end of the run."""

import time

import numpy as np
import pytest

from ocrkit.datasets import half_of, load_pages
from ocrkit.detection import DetectorOptions, detect
from ocrkit.document import quad_to_box
from ocrkit.metrics import DetectionScore


def found_words(image: np.ndarray, options: DetectorOptions = DetectorOptions()) -> np.ndarray:
    return np.concatenate([np.zeros((0, 4)), *(line.boxes for line in detect(image, options))])


@pytest.mark.parametrize(
    ("cues", "least_recall", "least_precision"),
    [
        (("components",), 0.80, 0.75),  # the default
        (("components", "mser"), 0.80, 0.75),
        (("mser",), 0.80, 0.75),  # the original system's cue alone
    ],
)
def test_words_of_scanned_forms_are_found(cues, least_recall, least_precision, shared_data, record_property):
    score, seconds = DetectionScore(), 0.0
    everything = load_pages(shared_data / "funsd" / "training_data", "funsd")
    pages = [page for page in everything if half_of(page.id) == "report"]  # nothing is tuned on these
    for page in pages:
        transcribed = [quad_to_box(word.quad) for word in page.words if word.text]
        image, begun = page.image(), time.process_time()
        found = found_words(image, DetectorOptions(cues=cues))
        seconds += time.process_time() - begun
        score.update(np.array(transcribed), found)
    result = score.summary()
    record_property(
        "measured",
        f"FUNSD, {len(pages)} pages, {' and '.join(cues)}, IoU 0.5: recall {result.recall:.3f}, precision "
        f"{result.precision:.3f}, {seconds / len(pages):.2f} s of CPU a page",
    )
    assert result.recall >= least_recall
    assert result.precision >= least_precision


def test_lines_of_receipts_are_covered(shared_data, record_property):
    covered, wide, inside, found = 0.0, 0.0, 0, 0
    for page in load_pages(shared_data / "sroie" / "val", "sroie"):
        words = found_words(page.image())
        lines = np.array([quad_to_box(line.quad) for line in page.lines])
        middle = (words[:, :2] + words[:, 2:]) / 2
        on = ((middle[:, None] >= lines[:, :2] - 2) & (middle[:, None] <= lines[:, 2:] + 2)).all(2)
        inside, found = inside + on.any(1).sum(), found + len(words)
        covered += sum((words[mine, 2] - words[mine, 0]).sum() for mine in on.T)
        wide += (lines[:, 2] - lines[:, 0]).sum()
    measured = f"{covered / wide:.3f} of the lines' width in words, {inside / found:.3f} of the words on lines"
    record_property("measured", f"SROIE val: {measured}")
    assert covered / wide >= 0.85
    assert inside / found >= 0.93
