from __future__ import annotations

from dataclasses import replace
from random import Random

import cv2
import numpy as np
import pytest

from ocrkit.errors import BadParams
from ocrkit.synth import distort
from ocrkit.synth.distort import Banks, DistortionOptions
from ocrkit.synth.fonts import FontOptions
from ocrkit.synth.generator import WordGenerator, WordOptions

INK = ["bleed", "thin", "stipple", "gaps", "smudge", "underline", "rules"]
GREY = ["texture", "uneven_light", "shadow", "crease", "glare", "defocus", "motion", "box_blur", "noise", "fax",
        "bilevel", "sharpen", "photocopy"]  # fmt: skip


@pytest.fixture(scope="module")
def banks() -> Banks:
    return Banks(3)


def word_of_ink() -> np.ndarray:
    canvas = np.zeros((40, 150), np.uint8)
    cv2.putText(canvas, "Total", (8, 30), cv2.FONT_HERSHEY_COMPLEX, 1.0, 255, 2, cv2.LINE_AA)
    return canvas


def word_on_paper() -> np.ndarray:
    return 230 - 0.8 * word_of_ink().astype(np.float32)


@pytest.mark.parametrize(
    ("name", "before"), [*((name, word_of_ink()) for name in INK), *((name, word_on_paper()) for name in GREY)]
)
def test_each_distortion_changes_the_picture_but_neither_its_size_nor_its_type(name, before, banks):
    changed = 0
    for seed in range(5):
        after, again = (getattr(distort, name)(before.copy(), Random(seed), banks) for _ in range(2))
        np.testing.assert_array_equal(after, again)
        assert (after.shape, after.dtype) == (before.shape, before.dtype)
        changed += (after != before).any()
    assert changed >= 3  # a gap may fall between two letters


@pytest.mark.parametrize("name", GREY)
def test_pictures_larger_than_any_word_are_distorted_too(name, banks):
    large = np.full((600, 2500), 200, np.float32)
    large[::7] = 90
    assert getattr(distort, name)(large, Random(1), banks).shape == large.shape


def test_ink_never_comes_near_the_paper_by_wear_alone(banks):
    ink = word_of_ink()
    for seed in range(10):
        assert distort.thin(ink, Random(seed), banks).sum() > 0.35 * ink.sum()


@pytest.mark.parametrize("name", ["bilevel", "fax"])
def test_a_word_half_in_shadow_is_still_a_word_in_black_and_white(name, banks):
    """One threshold for the whole picture would blacken the dark half."""
    clean = word_of_ink() > 127
    edge = np.linspace(0, 1, clean.shape[1]) > 0.5
    shaded = word_on_paper() * np.where(edge, 0.45, 1).astype(np.float32)
    for seed in range(20):
        dark = getattr(distort, name)(shaded.copy(), Random(seed), banks) < 128
        paper = dark[:, edge][:, 8:][~cv2.dilate(clean.astype(np.uint8), np.ones((5, 5)))[:, edge][:, 8:].astype(bool)]
        assert paper.mean() < 0.2
        assert dark[:, edge][clean[:, edge]].mean() > 0.5


def test_a_warp_keeps_the_ink_in_the_picture():
    ink = word_of_ink()
    bent = distort.warp(ink, Random(2))
    assert bent.shape == ink.shape
    assert (bent != ink).any()
    assert bent.mean() == pytest.approx(ink.mean(), rel=0.1)


def test_jpeg_leaves_size_and_type_and_traces():
    picture = word_on_paper().astype(np.uint8)
    saved = distort.jpeg(picture, Random(2))
    assert (saved.shape, saved.dtype) == (picture.shape, np.uint8)
    assert (saved != picture).any()


def test_colours_turned_to_grey_can_be_told_apart_in_either_polarity():
    pairs = np.array([distort.colour(Random(seed)) for seed in range(500)])
    assert pairs.min() >= 0
    assert pairs.max() <= 255
    assert np.abs(pairs[:, 0] - pairs[:, 1]).min() >= 60
    light_on_dark = (pairs[:, 1] > pairs[:, 0]).mean()
    assert 0.08 < light_on_dark < 0.22
    assert np.ptp(pairs[:, 0]) > 150


def test_the_shape_of_a_word_is_turned_about_its_middle():
    for seed in range(20):
        matrix = distort.shape_matrix((120, 40), Random(seed), DistortionOptions(tilt=1, slant=1, perspective=1))
        assert matrix is not None
        x, y, w = matrix @ (60, 20, 1)
        np.testing.assert_allclose((x / w, y / w), (60, 20))


@pytest.mark.parametrize("shape", [(8, 30), (40, 700), (700, 40)])
def test_windows_of_a_texture_have_any_size(shape, banks):
    window = Banks.window(banks.grain, shape, Random(0))
    assert window.shape == shape
    assert abs(float(window.mean())) < 1


def test_textures_are_made_from_their_seed_alone():
    np.testing.assert_array_equal(Banks(5).surfaces[1], Banks(5).surfaces[1])
    assert (Banks(5).noise != Banks(6).noise).any()


# --- in the engine ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(vocabulary, verdicts) -> WordGenerator:
    return generator(vocabulary, verdicts, DistortionOptions.only())


def generator(vocabulary, verdicts, distortions) -> WordGenerator:
    options = WordOptions(negatives=0.0, fonts=FontOptions(families=("DejaVu Sans",)), distortions=distortions)
    return WordGenerator(vocabulary, verdicts, options)


@pytest.mark.parametrize("name", DistortionOptions.names())
def test_each_distortion_shows_when_it_is_the_only_one(name, plain, vocabulary, verdicts):
    touched = generator(vocabulary, verdicts, DistortionOptions.only(name))
    assert any(
        mine.image.shape != its.image.shape or (mine.image != its.image).any()
        for mine, its in zip(touched.samples(0, 12), plain.samples(0, 12))
    )
    assert all(sample.image.dtype == np.uint8 and sample.image.ndim == 2 for sample in touched.samples(0, 12))


def test_one_switch_stops_everything_that_bends_or_shades_the_page(plain, vocabulary, verdicts):
    bent = DistortionOptions.only("warp", "shadow", "crease", "glare")
    flat = generator(vocabulary, verdicts, replace(bent, warps=False))
    assert all((flat[i].image == plain[i].image).all() for i in range(20))


def test_a_distortion_that_does_not_exist_is_told_in_a_sentence():
    with pytest.raises(BadParams, match="no distortion sepia; there are bleed, thin"):
        DistortionOptions.only("sepia")
    with pytest.raises(TypeError, match="sepia"):
        DistortionOptions(sepia=0.5)  # type: ignore[call-arg]
