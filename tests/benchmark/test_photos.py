"""Photographed and turned pages are counted as they were found."""

import re
from random import Random

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit.benchmark import photos
from ocrkit.cli.benchmark import benchmark
from ocrkit.datasets import LabelledPage, LabelledWord, half_of
from ocrkit.document import Document, Page, box_to_quad
from ocrkit.errors import BadDataset
from ocrkit.synth.camera import CameraOptions, photograph

CAMERA = CameraOptions(zoom=0.6, curl=0, shadow=0)


def form(paper=250) -> LabelledPage:
    image = np.full((800, 600), 250, np.uint8)
    words = []
    for row in range(14):
        cv2.putText(image, "Quantity", (60, 80 + 48 * row), 0, 1.1, 0, 2, cv2.LINE_AA)
        words.append(LabelledWord("Quantity", box_to_quad((60, 55 + 48 * row, 210, 86 + 48 * row))))
    image[:8] = paper
    return LabelledPage("form", tuple(words), pixels=image)


def run(*args):
    return CliRunner().invoke(benchmark, [*map(str, args)])


@pytest.fixture
def receipts(tmp_path):
    """A folder in SROIE's form with one receipt."""
    page = form()
    cv2.imwrite(str(tmp_path / "a.jpg"), page.image())
    lines = [f'{{"quad": {word.quad.tolist()}, "text": "{word.text}"}}' for word in page.words]
    (tmp_path / "a.json").write_text(f'{{"lines": [{", ".join(lines)}]}}')
    return tmp_path


def test_the_worst_corner_decides_and_a_page_not_seen_is_infinitely_far():
    photo = photograph(form(), Random(3), CAMERA)
    diagonal = np.hypot(*photo.image.shape[:2])
    off = photo.corners.copy()
    off[2] += (0, 0.02 * diagonal)
    assert photos.Shot(form(), photo, off, 0.1).error == pytest.approx(0.02)
    assert photos.Shot(form(), photo, photo.corners, 0.1).error == 0
    assert photos.Shot(form(), photo, None, 0.1).error == np.inf


def test_the_same_seed_and_number_give_the_same_photo():
    one, again, other = (photos.shoot([form()], number, 5, CAMERA) for number in (1, 1, 2))
    np.testing.assert_array_equal(one.photo.image, again.photo.image)
    assert one.photo.image.shape != other.photo.image.shape or (one.photo.image != other.photo.image).any()


def test_the_overlay_shows_truth_in_green_and_the_find_in_red():
    photo = photograph(form(), Random(3), CAMERA)
    shown = photos.Shot(form(), photo, photo.corners + 20, 0.1).overlay()
    for quad, channel in ((photo.corners, 1), (photo.corners + 20, 0)):
        x, y = np.round((quad[0] + quad[1]) / 2).astype(int)
        assert shown[y, x].argmax() == channel


def test_paper_with_a_dark_rim_is_not_photographed():
    assert [page.id for page in photos.papers([form(), form(paper=20)])] == ["form"]
    with pytest.raises(BadDataset, match="paper from edge to edge"):
        photos.papers([form(paper=20)])


def test_words_are_counted_with_the_page_looked_for_and_without():
    seen = []

    def read(image) -> Document:
        seen.append(image.ndim)
        return Document((Page(1, 9, 9),))

    counts = photos.shoot([form()], 0, 1, CAMERA).read(read)
    assert seen == [3, 2]  # in a grey picture no page is looked for
    assert {how: (count.truth, count.found) for how, count in counts.items()} == {
        "rectified": (14, 0),
        "as it lies": (14, 0),
    }


@pytest.mark.parametrize(("rotation", "wrong"), [(90, False), (0, True)])
def test_a_page_is_wrong_where_it_is_not_read_as_it_stood(rotation, wrong):
    def read(image) -> Document:
        assert image.shape == (600, 800)
        return Document((Page(1, 800, 600, rotation=rotation),))

    assert photos.turned_wrongly(read, form(), 90) == wrong


def test_photos_are_counted_read_and_shown(receipts, tmp_path):
    shown = tmp_path / "worst"
    result = run("photos", receipts, "--form", "sroie", "--photos", 2, "--zoom", 1, "--read", "-o", shown)
    assert result.exit_code == 0, result.output
    assert re.search(r"2 photos of 1 pages, seed 0", result.output)
    assert re.search(r"rectified +[\d.]+", result.output)
    assert sorted(path.name for path in shown.iterdir()) == ["photo-0.jpg", "photo-1.jpg"]


def test_upright_pages_stay_and_turned_ones_come_back(receipts):
    result = run("upright", receipts, "--form", "sroie", "--turned")
    assert result.exit_code == 0, result.output
    assert [row.split()[:2] for row in result.output.splitlines()[-4:]] == [[d, "0"] for d in ("0", "90", "180", "270")]


@pytest.mark.parametrize("verb", ["photos", "upright"])
def test_a_half_without_pages_is_told(receipts, verb):
    empty = "tune" if half_of("a") == "report" else "report"
    result = run(verb, receipts, "--form", "sroie", "--half", empty)
    assert result.exit_code == 2
    assert "is in that half" in result.output
