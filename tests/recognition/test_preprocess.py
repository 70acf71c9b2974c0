import numpy as np
import pytest

from ocrkit.errors import BadImage
from ocrkit.recognition.preprocess import HEIGHT, WIDTHS, batches, bucket_of, fit


@pytest.mark.parametrize(
    ("shape", "width"),
    [
        ((16, 40), 80),  # enlarged, ratio kept
        ((64, 128), 64),  # reduced
        ((1, 1), 32),  # one pixel
        ((20, 5000), WIDTHS[-1]),  # wider than any bucket: squeezed into the widest
        ((400, 3), 4),  # a hair line is never narrower than a time step
        ((16, 40, 3), 80),  # colour
    ],
)
def test_crops_are_fitted_to_the_height(shape, width):
    fitted = fit(np.full(shape, 200, np.uint8))
    assert fitted.shape == (HEIGHT, width)
    assert fitted.dtype == np.uint8


@pytest.mark.parametrize(
    "crop",
    [
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 5), np.float32),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros(5, np.uint8),
    ],
)
def test_what_is_no_crop_is_refused(crop):
    with pytest.raises(BadImage, match="uint8"):
        fit(crop)


def test_contrast_is_stretched_but_blank_paper_stays_blank():
    faint = np.full((32, 64), 120, np.uint8)
    faint[10:20, 10:20] = 180
    assert np.ptp(fit(faint)) == 255
    speck = np.full((32, 64), 250, np.uint8)
    speck[0, 0] = 247
    assert np.ptp(fit(speck)) < 30


def test_batches_hold_every_crop_once_in_buckets_of_equal_width():
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 255, (32, width), np.uint8) for width in (10, 500, 33, 64, 64, 200, 65)]
    made = batches(crops, most_px=200)
    assert sorted(row for batch in made for row in batch.rows) == list(range(7))
    for batch in made:
        assert batch.pictures.shape[1:] == (HEIGHT, batch.pictures.shape[2])
        assert len(batch.rows) == 1 or batch.pictures.shape[0] * batch.pictures.shape[2] <= 200
        for picture, row in zip(batch.pictures, batch.rows):
            assert batch.pictures.shape[2] == bucket_of(crops[row].shape[1])
            assert np.array_equal(picture[:, : crops[row].shape[1]], fit(crops[row]))


def test_padding_takes_the_level_of_the_paper_at_the_right_edge():
    crop = np.full((32, 40), 30, np.uint8)
    crop[:, :20] = 200
    (batch,) = batches([crop])
    assert set(np.unique(batch.pictures[0, :, 40:])) == {fit(crop)[0, -1]}
