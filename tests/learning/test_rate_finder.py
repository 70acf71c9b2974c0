from dataclasses import replace

import cv2
import numpy as np
import pytest

from ocrkit.errors import TrainingFailed
from ocrkit.learning.rate_finder import RateCurve, find_learning_rate
from ocrkit.learning.trainer import Trainer, TrainOptions, endless


@pytest.fixture
def sweep(samples, tmp_path, alphabet):
    few = [sample for sample in samples if len(sample.text) == 2]
    options = TrainOptions(size="nano", words=24, round_words=24, batch_size=8)

    def find(seed=7, **arguments) -> RateCurve:
        trainer = Trainer(endless(few, 1), few, replace(options, seed=seed), tmp_path / "unused", alphabet)
        return find_learning_rate(trainer, **arguments)

    return find


def test_the_rate_rises_exponentially_and_the_same_way_every_time(sweep, tmp_path):
    first, again = sweep(steps=9, lowest=1e-5, highest=1e-2), sweep(steps=9, lowest=1e-5, highest=1e-2)
    assert np.allclose(first.rates[1:] / first.rates[:-1], 1000 ** (1 / 8))
    assert np.array_equal(first.losses, again.losses)
    assert not (tmp_path / "unused").exists()


def test_it_ends_where_the_loss_diverges(sweep):
    curve = sweep(steps=30, lowest=1e-3, highest=1e6)
    assert len(curve.rates) < 30
    assert curve.rates[0] <= curve.suggestion <= curve.rates[-1]


def test_a_loss_that_diverges_at_once_is_said(sweep):
    with pytest.raises(TrainingFailed, match="begin lower"):
        sweep(steps=5, lowest=1e30, highest=1e31)


def test_the_suggestion_is_where_the_loss_falls_fastest(tmp_path):
    rates, losses = np.geomspace(1e-4, 1, 5), np.array([9.0, 8.0, 3.0, 2.0, 7.0])
    curve = RateCurve(rates, losses, losses)
    assert curve.suggestion == pytest.approx(0.01)
    table, picture = curve.save(tmp_path / "new")
    lines = table.read_text().splitlines()
    assert lines[0] == "learning_rate,loss,smoothed"
    assert [float(line.split(",")[1]) for line in lines[1:]] == losses.tolist()
    assert cv2.imread(str(picture)) is not None
