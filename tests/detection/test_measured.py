"""The detector on real pages, where the development data lies; what it measured is printed at the end of the run."""

import numpy as np

from ocrkit.datasets import half_of, load_pages
from ocrkit.detection import detect
from ocrkit.document import quad_to_box
from ocrkit.metrics import DetectionScore


def found_words(image: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((0, 4)), *(line.boxes for line in detect(image))])


def test_words_of_scanned_forms_are_found(shared_data, record_property):
    score = DetectionScore()
    everything = load_pages(shared_data / "funsd" / "training_data", "funsd")
    pages = [page for page in everything if half_of(page.id) == "report"]  # nothing is tuned on these
    for page in pages:
        transcribed = [quad_to_box(word.quad) for word in page.words if word.text]
        score.update(np.array(transcribed), found_words(page.image()))
    result = score.summary()
    record_property(
        "measured", f"FUNSD, {len(pages)} pages, IoU 0.5: recall {result.recall:.3f}, precision {result.precision:.3f}"
    )
    assert result.recall >= 0.80
    assert result.precision >= 0.75


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
