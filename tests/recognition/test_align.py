from itertools import groupby, product

import numpy as np
import pytest

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadLabel
from ocrkit.recognition.align import align, choices_of, log_probabilities


def brute_force(log_probs, choices):
    """The likeliest of all paths that say `choices`, classes of one choice added up first."""
    kinds = list(dict.fromkeys(choices))
    columns = [log_probs[:, 0], *(np.logaddexp.reduce(log_probs[:, list(kind)], axis=1) for kind in kinds)]
    wanted = [kinds.index(choice) + 1 for choice in choices]
    best, where = -np.inf, None
    for path in product(range(len(columns)), repeat=len(log_probs)):
        if [kind for kind, _ in groupby(path) if kind] == wanted:
            total = sum(columns[kind][t] for t, kind in enumerate(path))
            if total > best:
                best, where = total, path
    return best, where


@pytest.mark.parametrize("text", ["", "a", "ab", "aa", "aba", "aab"])
@pytest.mark.parametrize("seed", range(4))
def test_the_path_is_the_best_of_all(text, seed):
    alphabet = Alphabet("abc")
    log_probs = log_probabilities(np.random.default_rng(seed).normal(0, 2, (6, alphabet.classes)))
    choices = choices_of(text, alphabet)
    found = align(log_probs, choices)
    best, path = brute_force(log_probs, choices)
    assert found.log_probability == pytest.approx(best)
    runs = [(kind, [t for t, _ in run]) for kind, run in groupby(enumerate(path), key=lambda at: at[1]) if kind]
    assert found.spans.tolist() == [[steps[0], steps[-1] + 1] for _, steps in runs]
    assert ((found.scores > 0) & (found.scores <= 1 + 1e-9)).all()


def test_either_case_will_do_and_the_likelier_is_told():
    alphabet = Alphabet("aAbB")
    log_probs = log_probabilities(np.random.default_rng(5).normal(0, 2, (5, alphabet.classes)))
    choices = choices_of("AB", alphabet)
    assert choices == [(2, 1), (4, 3)]
    found = align(log_probs, choices)
    assert found.log_probability == pytest.approx(brute_force(log_probs, choices)[0])
    assert found.log_probability > align(log_probs, [(2,), (4,)]).log_probability
    assert found.scores == pytest.approx([p.sum() for p in found.probabilities])


def test_equal_neighbours_in_any_case_need_a_blank_between_them():
    alphabet = Alphabet("aA")
    with pytest.raises(BadLabel, match="more than the 2 time steps"):
        align(np.zeros((2, 3)), choices_of("aA", alphabet))
    assert align(np.zeros((3, 3)), choices_of("aA", alphabet)).spans.tolist() == [[0, 1], [2, 3]]


def test_a_line_of_more_characters_than_a_byte_counts_is_aligned():
    alphabet = Alphabet("ab")
    length = 200
    log_probs = np.full((2 * length, alphabet.classes), -20.0)
    log_probs[::2, 1], log_probs[1::2, 0] = 0.0, 0.0
    spans = align(log_probs, choices_of("a" * length, alphabet)).spans
    assert spans.tolist() == [[2 * i, 2 * i + 1] for i in range(length)]


def test_a_space_may_be_read_as_nothing():
    alphabet = Alphabet(" ab")
    log_probs = np.log(np.array([[0.1, 0.1, 0.7, 0.1], [0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]]))
    assert align(log_probs, choices_of("a b", alphabet)).spans.tolist() == [[0, 1], [1, 2], [2, 3]]
