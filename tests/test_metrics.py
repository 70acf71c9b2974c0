import math
import random

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest

from ocrkit import metrics

nan = math.nan


@pytest.mark.parametrize(
    ("truths", "guesses", "exact", "caseless"),
    [
        (["Total", "9.90"], ["Total", "9.90"], 1.0, 1.0),  # all right
        (["Total", "9.90"], ["TOTAL", "9.90"], 0.5, 1.0),  # case only
        (["Straße"], ["STRASSE"], 0.0, 1.0),  # case folding changes the length
        (["caf\u00e9"], ["cafe\u0301"], 0.0, 1.0),  # one letter or letter and mark: the same text
        (["a"], ["a "], 0.0, 0.0),  # nothing is stripped
        (["Mr."], ["Mr"], 0.0, 0.0),  # punctuation counts
        ([""], [""], 1.0, 1.0),  # nothing there, nothing read
        (["a"], [""], 0.0, 0.0),  # missed
        ([], [], 0.0, 0.0),  # no words
    ],
)
def test_correct_words(truths, guesses, exact, caseless):
    assert metrics.correct_words(truths, guesses).sum() == exact * len(truths)
    assert metrics.correct_words(truths, guesses, caseless=True).sum() == caseless * len(truths)


def test_word_metrics_refuse_lists_of_unequal_length():
    for metric in (metrics.correct_words, metrics.character_error_rate):
        with pytest.raises(ValueError, match="zip"):
            metric(["a", "b"], ["a"])


@pytest.mark.parametrize(
    ("truths", "guesses", "rate"),
    [
        (["one two"], ["one two"], 0),  # no mistake
        (["one two"], ["one tw0"], 1 / 7),  # a substitution
        (["one two"], ["onetwo"], 1 / 7),  # a lost blank
        (["ab", "cdefgh"], ["a", "cdefgh"], 1 / 8),  # micro: short texts do not weigh more
        (["a"], ["abc"], 2.0),  # insertions can exceed 1
        (["abc"], [""], 1.0),  # nothing read
        ([""], ["abc"], nan),  # no truth to divide by
        ([], [], nan),
    ],
)
def test_character_error_rate(truths, guesses, rate):
    assert metrics.character_error_rate(truths, guesses) == pytest.approx(rate, nan_ok=True)


def textbook_distance(a: str, b: str) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(
        textbook_distance(a[1:], b) + 1,
        textbook_distance(a, b[1:]) + 1,
        textbook_distance(a[1:], b[1:]) + (a[0] != b[0]),
    )


def test_edit_distance_and_alignment_agree_with_the_textbook():
    rng = random.Random(7)
    for _ in range(300):
        a, b = ("".join(rng.choices("ab1", k=rng.randint(0, 5))) for _ in range(2))
        pairs = metrics.aligned(a, b)
        assert metrics.edit_distance(a, b) == textbook_distance(a, b)
        assert sum(x != y for x, y in pairs) == textbook_distance(a, b)
        assert ("".join(x for x, _ in pairs), "".join(y for _, y in pairs)) == (a, b)


def test_confusions_name_what_was_read_as_what():
    counts = metrics.confusion_counts(["O0l", "abc", "same"], ["00l", "ac", "same!"])
    assert counts == {("O", "0"): 1, ("b", ""): 1, ("", "!"): 1}


@pytest.mark.parametrize(
    ("truth", "found", "caseless", "expected"),
    [
        (["a", "b"], ["b", "a"], False, (1, 1, 1)),  # order does not matter
        (["a", "a"], ["a"], False, (1, 1 / 2, 2 / 3)),  # a word that stands there twice must be found twice
        (["a"], ["a", "a"], False, (1 / 2, 1, 2 / 3)),  # and not more often
        (["A"], ["a"], False, (0, 0, 0)),  # case counts
        (["A"], ["a"], True, (1, 1, 1)),  # unless told
        (["a"], [], False, (nan, 0, 0)),  # nothing found
        ([], ["a"], False, (0, nan, 0)),  # noise on a blank page
        ([], [], False, (nan, nan, nan)),  # a blank page read as blank
    ],
)
def test_bag_of_words(truth, found, caseless, expected):
    score = metrics.bag_of_words(truth, found, caseless)
    assert (score.precision, score.recall, score.f1) == pytest.approx(expected, nan_ok=True)


BOX = [0, 0, 10, 10]


@pytest.mark.parametrize(
    ("truth", "found", "pairs"),
    [
        ([BOX], [BOX], [(0, 0)]),  # equal
        ([BOX], [[0, 0, 10, 5]], [(0, 0)]),  # IoU exactly at the threshold
        ([BOX], [[0, 0, 10, 4.9]], []),  # just below it
        ([BOX], [[20, 0, 30, 10]], []),  # apart
        ([BOX], [[0, 0, 10, 8], [0, 0, 10, 9]], [(0, 1)]),  # one truth takes one box, the better
        ([BOX, [0, 2, 10, 12]], [[0, 1, 10, 11], [0, -2, 10, 8]], [(0, 1), (1, 0)]),  # best sum, not first come
        ([BOX], [[5, 5, 5, 5]], []),  # a box without area
        ([], [BOX], []),
        ([BOX], [], []),
        ([], [], []),
    ],
)
def test_match_boxes(truth, found, pairs):
    assert [tuple(pair) for pair in metrics.match_boxes(np.array(truth), np.array(found))] == pairs


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])  # of the pairs that overlap at all
def test_the_assignment_is_scipys(share):
    rng = np.random.default_rng(0)
    for rows, columns in [(0, 3), (3, 0), (1, 1), (40, 30), *rng.integers(1, 9, (100, 2))]:
        gain = rng.random((rows, columns)) * (rng.random((rows, columns)) < share)
        expected = {(row, column) for row, column in zip(*linear_sum_assignment(-gain)) if gain[row, column]}
        assert {(row, column) for row, column in metrics._assign(gain) if gain[row, column]} == expected


def test_texts_at_true_boxes_come_from_their_pairs_and_are_empty_where_there_is_none():
    truth, found = np.array([[0, 0, 10, 10], [20, 0, 30, 10]]), np.array([[50, 0, 60, 10], [1, 0, 10, 10]])
    assert metrics.texts_at(truth, found, ["far", "near"]) == ["near", ""]
    assert metrics.texts_at(truth, np.zeros((0, 4)), []) == ["", ""]


def test_detection_score_adds_up_counts_over_pages_until_reset():
    score = metrics.DetectionScore()
    score.update(np.array([BOX]), np.array([BOX, [50, 50, 60, 60]]))
    score.update(np.array([BOX, [20, 0, 30, 10], [40, 0, 50, 10]]), np.empty((0, 4)))
    assert score.summary() == metrics.PrecisionRecall(matched=1, truth=4, found=2)
    assert [page.recall for page in score.pages] == [1.0, 0.0]
    score.reset()
    assert math.isnan(score.summary().recall)


@pytest.mark.parametrize(
    ("found_texts", "caseless", "matched"),
    [
        (["Cash", "9.90"], False, 2),  # boxes and texts right
        (["CASH", "9.90"], False, 1),  # case
        (["CASH", "9.90"], True, 2),  # case ignored
        (["9.90", "Cash"], False, 0),  # right words in the wrong boxes: the match is blind to text
    ],
)
def test_end_to_end_score(found_texts, caseless, matched):
    boxes = np.array([BOX, [20, 0, 30, 10]])
    score = metrics.EndToEndScore(caseless=caseless)
    score.update(boxes, ["Cash", "9.90"], boxes + 0.5, found_texts)
    assert score.summary() == metrics.PrecisionRecall(matched, 2, 2)


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (7, 10), (150, 150), (143, 150)])
def test_the_wilson_interval_is_scipys(hits, count):
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    found = metrics.wilson_interval(hits, count)
    assert (found.value, found.low, found.high) == pytest.approx((hits / count, expected.low, expected.high))


@pytest.mark.parametrize("right", [True, False])
def test_where_all_words_are_right_or_none_the_interval_still_has_a_width(right):
    found = metrics.bootstrap_interval(np.full(32, right))
    expected = binomtest(32 * right, 32).proportion_ci(method="wilson")
    assert (found.value, found.low, found.high) == pytest.approx((float(right), expected.low, expected.high))
    none_changed = metrics.bootstrap_interval(np.zeros(32))  # differences, not truth values
    assert (none_changed.low, none_changed.high) == (0, 0)


def test_bootstrap_interval_of_a_share_agrees_with_the_normal_approximation():
    correct = np.arange(1000) < 800
    interval = metrics.bootstrap_interval(correct, seed=3)
    half_width = 1.96 * math.sqrt(0.8 * 0.2 / 1000)
    assert interval.value == 0.8
    assert interval.low == pytest.approx(0.8 - half_width, abs=0.004)
    assert interval.high == pytest.approx(0.8 + half_width, abs=0.004)
    assert interval == metrics.bootstrap_interval(correct, seed=3)


def test_bootstrap_interval_of_a_ratio_draws_whole_pages():
    pages = np.array([[9, 10], [1, 10], [50, 100]], float)
    interval = metrics.bootstrap_interval(pages, lambda means: means[:, 0] / means[:, 1])
    assert interval.value == pytest.approx(60 / 120)
    assert interval.low == pytest.approx(0.1)  # the worst page three times
    assert interval.high == pytest.approx(0.9)  # the best page three times


@pytest.mark.parametrize(("values", "value"), [([], nan), ([0.7], 0.7)])
def test_no_interval_without_at_least_two_units(values, value):
    interval = metrics.bootstrap_interval(np.array(values))
    assert interval.value == pytest.approx(value, nan_ok=True)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@pytest.mark.parametrize(
    ("confidence", "correct", "error"),
    [
        ([1.0, 1.0], [1, 1], 0.0),  # sure and right; 1.0 falls in the last bin
        ([1.0, 1.0], [0, 0], 1.0),  # sure and wrong
        ([0.75] * 4, [1, 1, 1, 0], 0.0),  # as sure as it is right
        ([0.95, 0.05], [1, 1], 0.5),  # bins weigh by their count: (0.05 + 0.95) / 2
        ([], [], nan),
    ],
)
def test_expected_calibration_error(confidence, correct, error):
    value = metrics.expected_calibration_error(np.array(confidence), np.array(correct))
    assert value == pytest.approx(error, nan_ok=True)


def test_reliability_table_leaves_out_empty_ranges():
    table = metrics.reliability_table(np.array([0.0, 0.05, 0.31]), np.array([0, 1, 1]))
    assert [(row.low, row.count, row.accuracy) for row in table] == [(0.0, 2, 0.5), (0.3, 1, 1.0)]
