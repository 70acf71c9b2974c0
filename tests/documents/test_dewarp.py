"""Pages curled by a known bend, so that it is known where every point belongs."""

import cv2
import numpy as np
import pytest

import ocrkit
from ocrkit import Reader
from ocrkit.datasets import half_of, load_pages
from ocrkit.datasets.book_page import book_page
from ocrkit.detection import detect
from ocrkit.documents.dewarp import DewarpOptions, dewarp, find_bend
from ocrkit.documents.options import ReadOptions
from ocrkit.documents.scan import even_light
from ocrkit.errors import BadModel, MissingExtra
from ocrkit.metrics import PrecisionRecall, bag_of_words

SHEET = np.full((1000, 900), 240, np.uint8)
for row, baseline in enumerate(range(90, 960, 45)):
    text = " ".join(["seven", "more", "words", "on", "a", "line", "here"][row % 4 :] * 2)
    cv2.putText(SHEET, text, (40, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 20, 2, cv2.LINE_AA)
FLAT = DewarpOptions(rounds=0)


def below(points: np.ndarray, bow: float, shape: tuple[int, ...]) -> np.ndarray:
    """How far a sheet bent by at most `bow` px shows points `(..., 2)` below their places: least at its top."""
    x, y = points[..., 0] / shape[1], points[..., 1] / shape[0]
    return bow * (0.3 + 0.7 * y) * (np.sin(np.pi * x) + 0.3 * np.sin(2 * np.pi * x))


def curled(image: np.ndarray, bow: float) -> np.ndarray:
    height, width = image.shape[:2]
    at = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    flat = at.copy()
    for _ in range(20):  # where on the flat sheet is what is seen here?
        flat[..., 1] = at[..., 1] - below(flat, bow, image.shape)
    x, y = (flat[..., way].astype(np.float32) - 0.5 for way in (0, 1))
    return cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def words_of(image: np.ndarray) -> list[np.ndarray]:
    return [line.boxes for line in detect(image)]


def crookedness(lines: list[np.ndarray]) -> float:
    """Mean distance in px of words' middles from the level of their line, over lines of five words or more."""
    middles = [(boxes[:, 1] + boxes[:, 3]) / 2 for boxes in lines if len(boxes) >= 5]
    return float(np.mean(np.concatenate([np.abs(way - way.mean()) for way in middles])))


def test_a_curled_page_is_made_flat_and_its_points_are_taken_back():
    page = curled(SHEET, 40)
    flat, lines, bend = dewarp(page, detect)
    assert bend is not None
    assert flat.shape == page.shape
    assert crookedness(words_of(page)) > 5
    assert crookedness([line.boxes for line in lines]) < crookedness(words_of(SHEET)) + 0.5

    # A line may lie higher or lower than on the sheet; what counts is that it is level, and where it is seen.
    points = np.stack(np.meshgrid(np.linspace(80, 800, 10), [100, 500, 900]), axis=-1)
    true = below(points, 40, SHEET.shape)
    true -= true.mean(1, keepdims=True)
    found = (bend.seen(points.reshape(-1, 2)) - points.reshape(-1, 2)).reshape(points.shape)
    assert not found[..., 0].any()
    np.testing.assert_allclose(found[..., 1] - found[..., 1].mean(1, keepdims=True), true, atol=3)


@pytest.mark.parametrize("askew_deg", [0, 1.5])
def test_a_flat_page_is_given_back_as_it_is(askew_deg):
    turn = cv2.getRotationMatrix2D((450, 500), askew_deg, 1)
    page = cv2.warpAffine(SHEET, turn, SHEET.shape[::-1], borderValue=240)
    flat, _, bend = dewarp(page, detect)
    assert flat is page
    assert bend is None


def test_too_little_print_tells_no_bend():
    page = curled(SHEET, 40)
    lines = words_of(page)
    assert find_bend(lines) is not None
    assert find_bend([]) is None
    assert find_bend(lines[:2]) is None
    assert find_bend([boxes[:2] for boxes in lines]) is None
    dice = np.random.default_rng(3)
    corners = dice.uniform(0, 900, (300, 2))
    noise = np.hstack([corners, corners + np.array([40, 20])])
    assert find_bend(np.split(noise, 60)) is None


def test_a_page_longer_than_opencv_can_warp_is_left_as_it_is():
    lines = detect(curled(SHEET, 40))
    page = np.zeros((40_000, 900), np.uint8)
    assert dewarp(page, lambda image: lines)[0] is page


def test_lines_without_height_or_length_bend_nothing():
    lines = words_of(curled(SHEET, 40))
    assert find_bend([boxes[:, [0, 1, 2, 1]] for boxes in lines]) is None
    one_place = np.array([(400 - i, 500, 400 + i, 520) for i in range(10, 300, 20)], float)
    assert find_bend([*lines, one_place]) is not None


def test_words_that_stand_out_of_their_lines_do_not_move_the_others():
    lines = words_of(curled(SHEET, 40))
    straight, points = find_bend(lines), np.array([(x, 500.0) for x in range(80, 800, 80)])
    shifted = [boxes.copy() for boxes in lines]
    for boxes in shifted[::3]:
        boxes[len(boxes) // 2, [1, 3]] += 15
    disturbed = find_bend(shifted)
    assert straight is not None
    assert disturbed is not None
    np.testing.assert_allclose(disturbed.seen(points), straight.seen(points), atol=1.5)


def test_words_read_on_a_curled_page_lie_where_they_are_seen(says):
    page = curled(SHEET, 40)
    words = Reader(recognizer=says("word", confidence=0.99)).read(page).words
    places = np.concatenate(words_of(SHEET))
    middles = (places[:, :2] + places[:, 2:]) / 2
    seen = middles + np.stack([np.zeros(len(middles)), below(middles, 40, SHEET.shape)], axis=1)
    distance = np.linalg.norm(seen[:, None] - [word.quad.mean(0) for word in words], axis=2).min(1)
    assert np.quantile(distance, 0.95) < 4
    leaning = [word.quad[1, 1] - word.quad[0, 1] for word in words]
    assert max(leaning) > 3
    assert min(leaning) < -3


def test_a_scan_is_straightened_where_it_curls_and_nowhere_else():
    page = ocrkit.scan(curled(SHEET, 40))
    assert page.bend is not None
    assert crookedness(words_of(page.image)) < 2.5
    page = ocrkit.scan(SHEET)
    assert page.bend is None
    np.testing.assert_array_equal(page.image, even_light(SHEET))


def test_scanned_pages_are_flat(shared_data, record_property):
    forms = [page for page in load_pages(shared_data / "funsd/training_data", "funsd") if half_of(page.id) == "tune"]
    pages = [*forms[:20], *list(load_pages(shared_data / "sroie/train", "sroie"))[:20]]
    bent = [page.id for page in pages if find_bend(words_of(page.image())) is not None]
    record_property("measured", f"bends seen in {len(bent)} of {len(pages)} scans")
    assert bent == []


@pytest.fixture(scope="module")
def readers():
    try:
        return Reader(threads=1), Reader(threads=1, options=ReadOptions(dewarp=FLAT))
    except BadModel as missing:
        pytest.skip(f"no released model to read with: {missing}")


def test_curled_pages_are_read_better_straightened(readers, shared_data, record_property):
    forms = [page for page in load_pages(shared_data / "funsd/training_data", "funsd") if half_of(page.id) == "tune"]
    scores = [PrecisionRecall(), PrecisionRecall()]
    for page in forms[:12:3]:
        image = curled(page.image(), 45)
        for i, reader in enumerate(readers):
            scores[i] += bag_of_words(page.texts, [word.text for word in reader.read(image).words], caseless=True)
    record_property("measured", f"bag F1 of 4 curled forms: {scores[0].f1:.3f}, as they lie {scores[1].f1:.3f}")
    assert scores[0].f1 > scores[1].f1 + 0.05


def test_the_photographed_book_page_is_straightened(readers, record_property):
    try:
        page = book_page()
    except MissingExtra as missing:
        pytest.skip(str(missing))
    image = page.image()
    f1 = [bag_of_words(page.texts, [word.text for word in reader.read(image).words]).f1 for reader in readers]
    _, lines, bend = dewarp(image, detect)
    before, after = crookedness(words_of(image)), crookedness([line.boxes for line in lines])
    record_property(
        "measured",
        f"book page: lines {before:.2f} px off their level, straightened {after:.2f} px; bag F1 {f1[0]:.3f}, as it "
        f"lies {f1[1]:.3f}",
    )
    assert bend is not None
    assert after < 0.6 * before
    # The paper between two lines, a shade lighter than that around them, had passed for light print on top of "us".
    assert "Let us first determine" in " ".join(word.text for word in readers[0].read(image).words)
