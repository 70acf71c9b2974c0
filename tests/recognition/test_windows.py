import cv2
import numpy as np
import pytest

from ocrkit.errors import BadImage
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.options import DecodeOptions
from ocrkit.recognition.preprocess import HEIGHT
from ocrkit.recognition.windows import is_wide, joined, windows


def darkness(crop):
    """Outputs `(T, 1)` of a network with no context at all: how dark every step is."""
    steps = crop.shape[1] // 4
    return crop[:, : 4 * steps].reshape(HEIGHT, steps, 4).mean((0, 2))[:, None]


@pytest.mark.parametrize("width", [516, 640, 1088, 3000])
def test_a_wide_crop_is_seen_whole_and_once(width):
    crop = np.random.default_rng(1).integers(0, 256, (HEIGHT, width), np.uint8)
    parts = windows(crop)
    assert is_wide(crop)
    assert all(part.shape[0] == HEIGHT and part.shape[1] <= 512 for part in parts)
    assert np.allclose(joined(list(map(darkness, parts))), darkness(crop))


@pytest.mark.parametrize(("shape", "wide"), [((32, 512), False), ((64, 1030), True), ((2, 600), False)])
def test_what_the_widest_bucket_holds_and_rules_are_not_wide(shape, wide):
    assert is_wide(np.zeros(shape, np.uint8)) == wide


def test_what_is_no_crop_is_refused():
    with pytest.raises(BadImage, match="not empty"):
        is_wide(np.zeros((0, 600), np.uint8))


def test_a_word_three_times_as_wide_as_the_widest_bucket_is_read_and_its_characters_placed():
    text = "5163259530761668666101372520086675409656988895101002288801683145934731"
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
    crop = np.full((44, width + 20), 255, np.uint8)
    cv2.putText(crop, text, (10, 32), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2, cv2.LINE_AA)
    narrow = np.full((44, 120), 255, np.uint8)
    cv2.putText(narrow, "12345", (10, 32), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2, cv2.LINE_AA)
    recognizer = load_recognizer(threads=1)
    guesses = recognizer.recognize([crop, narrow, crop])
    assert [guess.text for guess in guesses] == [text, "12345", text]
    middles = guesses[0].spans.mean(1)
    assert np.abs(middles - (10 + (np.arange(len(text)) + 0.5) * width / len(text))).max() < 20


def test_squares_in_a_wide_row_are_not_searched_for_words_as_those_in_a_narrow_one_are():
    row = np.full((40, 1600), 255, np.uint8)
    row[5:35] = np.where(np.arange(1600) % 40 < 30, 60, 255)
    recognizer = load_recognizer(options=DecodeOptions(least_confidence=0.0))
    assert recognizer.candidates([row]) == {}
    assert list(recognizer.candidates([row, row[:, :300]])) == [1]
