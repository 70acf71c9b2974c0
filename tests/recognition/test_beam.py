"""Beam search: what it finds is the likeliest text, and a lexicon decides where the picture hardly does."""

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadParams
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.beam import Lexicon, beam, prefix_search
from ocrkit.recognition.decode import greedy, log_softmax

LETTERS = Alphabet("abc")


def random_logits(seed: int, steps: int, classes: int, spread: float = 2.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, spread, (1, steps, classes))


@pytest.mark.parametrize("seed", range(8))
def test_a_search_without_pruning_sums_every_path(seed):
    probabilities = np.exp(log_softmax(random_logits(seed, 5, 3)[0]))
    sums = defaultdict(float)
    for path in product(range(3), repeat=5):
        sums[tuple(c for c, _ in groupby(path) if c)] += np.prod(probabilities[range(5), path])
    found = prefix_search(probabilities, width=1000, choices=3, least=0.0)
    assert found.keys() == sums.keys()
    assert all(np.exp(found[text]) == pytest.approx(sums[text]) for text in sums)


def test_beam_finds_what_is_at_least_as_probable_as_the_best_path():
    better = 0
    for seed in range(200):
        logits = random_logits(seed, 12, 4)
        found = prefix_search(np.exp(log_softmax(logits[0])))
        best = log_softmax(logits[0]).max(-1).sum()
        assert max(found.values()) >= best
        better += beam(logits, LETTERS, np.ones(1))[0].text != greedy(logits, LETTERS, np.ones(1))[0].text
    assert better > 0


def test_many_weak_paths_beat_one_strong_path():
    # Nothing is the best path with 0.6 * 0.6 = 0.36, but one a, wherever it stands, has 0.64 in all.
    logits = np.log([[[0.6, 0.4, 1e-9, 1e-9]] * 2])
    assert greedy(logits, LETTERS, np.ones(1))[0].text == ""
    (guess,) = beam(logits, LETTERS, np.array([4.0]))
    assert guess.text == "a"
    assert guess.confidence == pytest.approx(0.24)  # of the best path that says it
    assert guess.spans.shape == (1, 2)


def test_a_sure_reading_is_the_greedy_one_with_its_spans():
    logits = np.zeros((1, 6, 4))
    logits[0, range(6), [0, 1, 1, 2, 0, 2]] = 9.0
    (guess,), (simple,) = (decode(logits, LETTERS, np.array([2.0])) for decode in (beam, greedy))
    assert (guess.text, guess.confidence) == (simple.text, simple.confidence)
    assert guess.spans.tolist() == [[2, 6], [6, 8], [10, 12]]


def test_a_lexicon_rights_a_near_miss_and_leaves_codes_alone():
    alphabet = Alphabet("Tota1l")
    logits = np.full((2, 9, 7), -4.0)
    for row, text in enumerate(("Tota1", "T1")):
        logits[row, np.arange(9), 0] = 0.0
        logits[row, np.arange(len(text)) * 2, alphabet.encode(text)] = 6.0
    logits[:, :, alphabet.encode("l")] = np.where(logits[:, :, alphabet.encode("1")] > 0, 5.0, -4.0)  # l, almost 1
    plain = [guess.text for guess in beam(logits, alphabet, np.ones(2))]
    helped = beam(logits, alphabet, np.ones(2), lexicon=Lexicon(["total"]))
    assert plain == ["Tota1", "T1"]
    assert [guess.text for guess in helped] == ["Total", "T1"]
    assert helped[0].confidence < beam(logits, alphabet, np.ones(2))[0].confidence
    assert helped[0].spans[:, 0].tolist() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("total", 1.0),
        ("TOTAL:", 1.0),  # case and marks
        ("(Total)", 1.0),
        ("tOtal", 0.0),  # no word is printed so
        ("total 12", 0.5),
        ("a", 0.0),  # a sole letter says nothing
        ("", 0.0),
        ("Paris", 1.0),
        ("paris", 0.0),
    ],
)
def test_a_lexicon_knows_a_word_as_it_may_be_printed(text, share):
    assert Lexicon(["total", "Paris", "a"], weight=2.0).bonus(text) == 2.0 * share


def test_temperature_changes_confidence_only():
    logits = random_logits(3, 20, 4)
    (humble,), (plain,) = (beam(logits, LETTERS, np.ones(1), t) for t in (2.0, 1.0))
    assert humble.text == plain.text
    assert humble.confidence < plain.confidence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"decoder": "guess"}, "greedy, beam"), ({"lexicon": Lexicon(["a"])}, "choose the decoder beam")],
)
def test_what_cannot_decode_is_said(options, sentence):
    with pytest.raises(BadParams, match=sentence):
        load_recognizer(**options)


PAPER = {
    "white": np.full((24, 90), 255, np.uint8),
    "black": np.zeros((24, 90), np.uint8),
    "one pixel": np.full((1, 1), 200, np.uint8),
    "very wide": np.full((20, 5000), 240, np.uint8),
    "noise": np.random.default_rng(0).normal(200, 12, (24, 90)).clip(0, 255).astype(np.uint8),
    "coarse noise": np.random.default_rng(1).integers(0, 256, (24, 90), np.uint8),
}


@pytest.mark.parametrize("decoder", ["greedy", "beam"])
@pytest.mark.parametrize("paper", PAPER)
def test_the_released_model_reads_nothing_where_nothing_is(paper, decoder):
    (guess,) = load_recognizer(decoder=decoder).recognize([PAPER[paper]])
    assert (guess.text, guess.spans.shape) == ("", (0, 2))
