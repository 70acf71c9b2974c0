import numpy as np
import PIL.Image
import pytest

from ocrkit.datasets import LabelledPage, LabelledWord, load_pages
from ocrkit.datasets.validate import Finding, statistics, validate
from ocrkit.document import box_to_quad

PAGE = np.arange(5000, dtype=np.uint8).reshape(50, 100)
GOOD = box_to_quad((10, 10, 40, 20))


@pytest.mark.parametrize(
    ("text", "quad", "message"),
    [
        ("fine", GOOD, None),
        ("edge", box_to_quad((-1.5, 10, 101, 20)), None),  # boxes may end a little outside
        ("off", box_to_quad((80, 10, 120, 20)), "the box of 'off' lies outside the page"),
        ("up", GOOD[::-1], "the corners of 'up' enclose nothing or go round the wrong way"),  # anticlockwise
        ("flat", box_to_quad((10, 10, 40, 10)), "the corners of 'flat' enclose nothing or go round the wrong way"),
        ("", GOOD, "1 of 1 labels are empty"),
        ("Ωmega✓", GOOD, "characters outside the alphabet: Ω✓"),
        ("ﬁne\u00a0−1", GOOD, None),  # forms that normalising folds onto known characters
    ],
)
def test_labels_are_judged(text, quad, message):
    findings = validate([LabelledPage("p", (LabelledWord(text, quad),), pixels=PAGE)])
    assert [finding.message for finding in findings] == ([message] if message else [])


def test_repeated_images_and_unreadable_ones_are_serious(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"text")
    pages = [
        LabelledPage("a", pixels=PAGE),
        LabelledPage("b", pixels=PAGE.copy()),
        LabelledPage("c", path=tmp_path / "bad.png"),
    ]
    again, unreadable = validate(pages)
    assert again == Finding("b", "the same image as a", serious=True)
    assert unreadable.page == "c"
    assert unreadable.serious


def test_a_folder_of_crops_is_judged_crop_by_crop(tmp_path):
    (tmp_path / "labels.csv").write_text("file,text\na.png,word\nb.png,\n")
    PIL.Image.fromarray(PAGE).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"text")
    (finding,) = validate(load_pages(tmp_path, "crops"))
    assert (finding.page, finding.serious) == ("b.png", True)


def test_statistics_count_what_is_there():
    words = tuple(LabelledWord(text, GOOD) for text in ("one", "two", "", "ø"))
    line = LabelledWord("three four", GOOD)
    pages = [
        LabelledPage("a", words, pixels=PAGE, category="scanned_docs"),
        LabelledPage("b", lines=(line,), pixels=PAGE, simulated=True),
    ]
    described = statistics(pages)
    assert (described["pages"], described["simulated pages"]) == (2, 1)
    assert (described["labelled words"], described["labelled lines"], described["transcribed words"]) == (4, 1, 5)
    assert described["categories"] == {"scanned_docs": 1, "other": 1}
    assert described["word height px"] == [10, 10, 10]
    assert described["outside the alphabet"] == "ø"
