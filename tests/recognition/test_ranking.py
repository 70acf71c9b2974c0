"""Ranking: which of the texts that two looks found is chosen, and how its weights are fitted."""

import numpy as np
import pytest

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadDataset
from ocrkit.learning.ranking import PRIOR, Choice, as_json, cross_validated, fit_ranking
from ocrkit.recognition.beam import reread, texts_of
from ocrkit.recognition.decode import greedy
from ocrkit.recognition.lexicon import Lexicon
from ocrkit.recognition.options import DecodeOptions
from ocrkit.recognition.ranking import FEATURES, Ranking, default_ranking, features_of, grouped

OPTIONS, LEXICON = DecodeOptions(), Lexicon({"total": 5.0, "market": 5.0})


def features(text: str) -> dict[str, float]:
    return dict(zip(FEATURES, features_of({text: [0.0, 0.0]}, LEXICON, OPTIONS)[0].tolist()))


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("Total:", {"known": 1, "known letters": 5, "unknown": 0, "title": 1, "ends :": 1, "marks": 1, "letters": 6}),
        ("tota1", {"known": 0, "a1": 1, "A1": 0, "unknown": 0}),
        ("Tomal", {"unknown": 1, "title": 1}),
        ("ALUMiNIUM", {"AAa": 1, "Aa changes": 1, "upper": 0}),
        ("photogra.phic", {"point in word": 1, "marks within": 1}),
        ("u.s.", {"point in word": 0}),
        ("ann@absent.org", {"point in word": 0}),
        ("data…", {"ends .": 1, "marks": 1, "marks together": 0, "rare marks": 0, "odd marks": 0}),
        ("data...", {"marks": 1, "marks together": 0, "rare marks": 0, "ends .": 1}),
        ("can't", {"contraction": 1, "mark in word": 0, "straight marks": 1}),
        ("can’t", {"contraction": 1, "curled marks": 1, "straight marks": 0}),
        ("1,250.00", {"number": 1, "date": 0, "figures only": 0}),
        ("12/31/87", {"date": 1, "number": 0}),
        ("1987", {"figures only": 1, "number": 1}),
        ("(17", {"balanced": 0, "begins (": 1}),
        ("-", {"one letter": 1, "ends -": 0, "begins -": 0, "marks": 1}),
        ("", {"letters": 0, "marks": 0}),
        ("a b", {"letters": 2}),
        ("salué", {"accents": 1, "unknown": 1}),
        ("schtpf", {"without vowels": 1}),
    ],
)
def test_a_text_is_described_by_its_letters_figures_and_marks(text, some):
    assert {name: features(text)[name] for name in some} == some


def test_texts_that_are_the_same_once_tidy_count_together_and_unseen_ones_a_little():
    texts = grouped([{"a—": np.log(0.25), "a-": np.log(0.5)}, {"b": np.log(0.5)}], OPTIONS)
    assert list(texts) == ["a-", "b"]
    assert np.exp(texts["a-"]) == pytest.approx([0.75, 0.0005])
    assert np.exp(texts["b"]) == pytest.approx([0.0005, 0.5])


def test_without_weights_of_its_own_a_ranking_chooses_what_is_likeliest_together_with_its_words_worth():
    texts = grouped([{"tota1": np.log(0.6), "total": np.log(0.2)}] * 2, OPTIONS)
    assert Ranking({"together": 1.0}).best(texts, LEXICON, OPTIONS) == "tota1"
    assert Ranking(PRIOR).best(texts, LEXICON, OPTIONS) == "total"


@pytest.mark.parametrize(
    ("read", "rival", "chosen"),
    [
        ("1l5", "115", "115"),
        ("x.y", "xzy", "x.y"),
        ("x–1", "x-1", "x-1"),
        ("abc", "abz", "abc"),
    ],
)
def test_careful_chooses_by_the_ranking_where_the_looks_hardly_differ(read, rival, chosen):
    alphabet = Alphabet("15abclxyz.-–")
    logits = np.full((2 * len(read) + 1, alphabet.classes), -20.0)
    logits[::2, 0] = 0.0
    for said, height in ((rival, -0.3), (read, 0.0)):
        logits[2 * np.arange(len(said)) + 1, alphabet.encode(said)] = height
    (guess,) = greedy(logits[None], alphabet, np.ones(1))
    assert guess.text == read
    looks = [texts_of(logits, alphabet)] * 2
    ranked, plain = (
        reread(guess, logits, looks, alphabet, 1.0, lexicon=LEXICON, options=DecodeOptions(ranked=wish))
        for wish in (True, False)
    )
    assert (ranked.text, len(ranked.spans)) == (chosen, len(chosen))
    assert plain.text == read


def test_a_text_that_the_looks_hardly_believe_in_is_not_chosen_for_its_letters():
    looks = [{"totaló": -0.5, "total6": -1.0, "total": -3.5}, {"totaló": -0.5, "total6": -4.0, "total": -7.0}]
    seen = grouped(looks, OPTIONS)
    assert default_ranking().best(seen, LEXICON, OPTIONS) != "total"


def choices(words: int, texts=("to:", "to"), right=1, better=1.0) -> list[Choice]:
    """The network thinks the first text `better`, and `right` is right."""
    seen = {texts[0]: [0.0, 0.0], texts[1]: [-better, -better]}
    described = features_of(seen, LEXICON, OPTIONS)
    return [Choice(texts, described, right, f"page {row % 4}", row) for row in range(words)]


def test_weights_learn_from_choices_what_is_right_and_words_are_judged_by_those_of_other_documents():
    taught = choices(40)
    assert fit_ranking(taught).best(grouped([{"to:": 0.0, "to": -1.0}] * 2, OPTIONS), LEXICON, OPTIONS) == "to"
    assert cross_validated(taught, folds=4) == ["to"] * 40
    lone = [Choice(c.texts, c.features, 0, "another page", 40) for c in choices(1)]
    assert cross_validated([*taught, *lone], folds=5)[-1] == "to"  # though its truth is "to:"


@pytest.mark.parametrize("untaught", [choices(3, right=None), choices(3, texts=("t o", "to")), []])
def test_words_without_their_truth_or_with_blanks_alone_beside_it_teach_nothing(untaught):
    with pytest.raises(BadDataset, match="nothing to rank by"):
        fit_ranking(untaught)


def test_the_weights_that_come_with_the_package_are_of_features_that_there_are():
    weights = default_ranking().weights
    written = as_json(default_ranking(), {"words": 3})
    assert written["fitted_on"] == {"words": 3}
    assert np.array_equal(Ranking(written["weights"]).weights, weights)
    assert np.count_nonzero(weights) > len(FEATURES) // 2
