"""What the benchmark tells; how fast it is, no test says."""

from __future__ import annotations

import pytest

from ocrkit.benchmark.generator import measure_speed, measure_steps
from ocrkit.synth.generator import WordGenerator


@pytest.fixture
def generator(vocabulary, verdicts) -> WordGenerator:
    return WordGenerator(vocabulary, verdicts)


def test_speed_is_told_by_processor_by_clock_and_for_the_first_words(generator, record_property):
    speed = measure_speed(generator, words=40, repeats=1)
    assert min(speed.ours, speed.wall, speed.cold) > 0
    assert speed.trdg is None
    record_property("measured", f"{speed.ours:.0f} words a second of processor time on 10 faces")


def test_every_step_of_a_word_is_timed_and_none_twice(generator):
    steps = measure_steps(generator, 0, 40)
    assert list(steps) == ["corpus", "drawing", "geometric", "photometric", "encode", "other"]
    assert min(steps.values()) >= 0  # what is left over would be negative if one step ran inside another
    assert "_lay" not in vars(generator)
