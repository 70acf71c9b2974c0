"""What several answers say together, against people whose rates are known."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from ocrkit.labelling.aggregate import alpha, majority, results, rover, text_distance
from ocrkit.labelling.jobs import Vote
from ocrkit.labelling.order import Reading, ordered
from ocrkit.labelling.simulate import votes

RATES = (0.98, 0.95, 0.9, 0.8, 0.6)


def words(count: int, seed: int) -> list[str]:
    r = Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyzABCDE0123456789.,"
    return ["".join(r.choice(letters) for _ in range(r.randint(2, 10))) for _ in range(count)]


def of_texts(*tasks: list[str]) -> list[Vote]:
    """A task for each list of answers, by people 0, 1, ..."""
    return [Vote(t, w, {"text": text}, 1.0, 0.0, None) for t, texts in enumerate(tasks) for w, text in enumerate(texts)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_em_finds_the_rates_of_people_and_better_texts_than_the_majority(seed: int) -> None:
    truths = words(1500, seed)
    given = votes(truths, RATES, 3, seed)
    labels = results(given)
    by_majority = np.mean([value["text"] == truths[task] for task, value in majority(given).items()])
    by_em = np.mean([labels.results[task].value["text"] == truth for task, truth in enumerate(truths)])
    assert 0.95 < by_majority < 0.97
    assert by_em >= 0.985
    for worker, person in labels.people.items():
        mine = [vote for vote in given if vote.worker == worker]
        right = np.mean([vote.value["text"] == truths[vote.task] for vote in mine])
        assert person.rate.low <= right <= person.rate.high
        assert abs(person.rate.value - RATES[worker]) < 0.03


def test_two_bad_people_do_not_outvote_a_good_one() -> None:
    truths = words(300, 5)
    rates = (0.99, 0.99, 0.3, 0.3)
    given = votes(truths, rates, 4, 5)
    given += [Vote(1000, 0, {"text": "right"}, 1, 0, None)]
    given += [Vote(1000, worker, {"text": "wrong"}, 1, 0, None) for worker in (2, 3)]
    assert results(given).results[1000].value == {"text": "right"}


def test_known_answers_are_no_labels_but_judge_people() -> None:
    gold = {"text": "a"}
    given = [Vote(1, 0, {"text": "a"}, 1, 0, gold), Vote(1, 1, {"text": "b"}, 1, 0, gold)]
    labels = results(given)
    assert labels.results == {}
    assert [labels.people[worker].gold.value for worker in (0, 1)] == [1.0, 0.0]


def test_flags_count_as_answers_and_disagreement_is_unsure() -> None:
    flag = {"choice": "unreadable"}
    given = [Vote(1, 0, flag, 1, 0, None), Vote(1, 1, flag, 1, 0, None), Vote(1, 2, {"text": "a"}, 1, 0, None)]
    given += [Vote(2, 0, flag, 1, 0, None), Vote(2, 1, {"text": "a"}, 1, 0, None)]
    labels = results(given)
    assert labels.results[1].value == flag
    assert labels.unsure()[0].task == 2


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["Tota1", "Iotal", "Totol"], "Total"),  # nobody has all of it right
        (["abc", "abc", "xyz"], "abc"),
        (["rcceipt", "receiptt", "recept"], "receipt"),
        (["9.90", "9.9", "9,90"], "9.90"),
        (["xab", "ab", "xab"], "xab"),
        (["$5", "$5.", "S5"], "$5"),
        (["a"], "a"),
        ([], ""),
    ],
)
def test_texts_are_joined_character_by_character(texts: list[str], joined: str) -> None:
    assert rover(texts) == joined


def test_a_joined_text_is_told_as_one_that_nobody_gave() -> None:
    labels = results(of_texts(["Tota1", "Iotal", "Totol"]))
    result = labels.results[0]
    assert (result.value, result.joined, result.is_sure) == ({"text": "Total"}, True, False)


def test_alpha_is_that_of_krippendorff() -> None:
    # His example of two observers and ten nominal units: "Computing Krippendorff's alpha-reliability" (2011), A.
    pairs = zip("0100000000", "1110010001", strict=True)
    given = of_texts(*[list(pair) for pair in pairs])
    assert alpha(given).value == pytest.approx(0.095, abs=0.0006)


def test_alpha_is_one_where_all_agree_and_undefined_without_two_answers_to_a_task() -> None:
    assert alpha(of_texts(["a", "a"], ["b", "b"])).value == 1.0
    assert np.isnan(alpha(of_texts(["a"], ["b"])).value)


def test_alpha_by_characters_forgives_small_slips() -> None:
    given = of_texts(*[[word, word[:-1] + "#"] for word in words(40, 1) if len(word) > 5])
    assert alpha(given).value <= 0 < 0.7 < alpha(given, text_distance).value


# Order


READINGS = [Reading("a", 0.99, "a"), Reading("b", 0.9, "x"), Reading("c", 0.2, "c"), Reading("d", 0.5, "y")]


def test_words_that_models_read_differently_come_first_then_those_that_one_is_unsure_of() -> None:
    assert [place for place, _ in ordered(READINGS, "disagreement", random_share=0)] == [3, 1, 2, 0]
    assert [place for place, _ in ordered(READINGS, "confidence", random_share=0)] == [2, 3, 1, 0]
    assert [place for place, _ in ordered(READINGS, "given")] == [0, 1, 2, 3]


@pytest.mark.parametrize("order", ["disagreement", "confidence", "random", "given"])
def test_an_order_holds_every_word_once(order: str) -> None:
    readings = [Reading(str(i), (i * 37 % 101) / 101, str(i % 3)) for i in range(101)]
    places = ordered(readings, order)
    assert sorted(place for place, _ in places) == list(range(101))


def test_a_fifth_of_any_part_is_random() -> None:
    readings = [Reading("a", i / 1000, "a") for i in range(1000)]
    first = ordered(readings, "confidence")[:200]
    by_chance = [place for place, is_random in first if is_random]
    assert len(by_chance) == 40
    assert 300 < np.mean(by_chance) < 700  # of all words, not of the doubtful ones only
