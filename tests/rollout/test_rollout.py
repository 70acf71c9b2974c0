"""The rules of a rollout: who reads, what lets a challenger up, what stops it, and what is never lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
import pytest

from ocrkit.benchmark.rollout import ALIKE, CHALLENGERS, replay, shares
from ocrkit.document import Line, Page, Word, box_to_quad
from ocrkit.errors import BadParams, OcrkitError
from ocrkit.rollout import (
    Follower,
    Gate,
    Ledger,
    Numbers,
    Observation,
    Pin,
    Policy,
    State,
    Summary,
    Tally,
    bucket,
    decide,
    in_group,
    log_e_share,
    log_e_value,
)
from ocrkit.rollout.drift import distance, limit
from ocrkit.rollout.ledger import WINDOW, Drift, pseudonym
from ocrkit.rollout.state import BadState

CHAMPION, CHALLENGER = Pin("ocrkit-reader", "1"), Pin("ocrkit-reader", "2")
POLICY = Policy()
SHADOW = State(1, CHAMPION, CHALLENGER, 0, POLICY.shares, "salt", 0.0)
IMAGE = np.full((40, 60), 255, np.uint8)


def page_of(*texts: str) -> Page:
    words = tuple(Word(text, box_to_quad((10 * i, 0, 10 * i + 8, 12)), 0.9) for i, text in enumerate(texts))
    return Page(1, 60, 40, (Line(words),) if words else ())


# --- assignment -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.01, 0.05, 0.25])
def test_the_share_of_keys_in_a_group_is_what_chance_allows(share):
    count = sum(in_group("a salt", str(number), share) for number in range(100_000))
    assert abs(count - 100_000 * share) < 4 * sqrt(100_000 * share * (1 - share))


def test_who_is_in_a_small_group_is_in_every_larger_one():
    small = {key for key in map(str, range(5000)) if in_group("s", key, 0.05)}
    large = {key for key in map(str, range(5000)) if in_group("s", key, 0.25)}
    assert small < large
    assert all(in_group("s", str(key), 1.0) for key in range(5000))
    assert not any(in_group("s", str(key), 0.0) for key in range(5000))


def test_another_salt_deals_the_keys_anew():
    one, two = ({key for key in range(4000) if in_group(salt, str(key), 0.25)} for salt in "ab")
    assert 150 < len(one & two) < 350  # 250 by chance


def test_the_place_of_a_key_is_the_same_in_every_process_and_does_not_change_between_versions():
    code = "from ocrkit.rollout.assign import bucket; print(bucket('salt', 'Zoë'), bucket('sal', 'tZoë'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(bucket("salt", "Zoë")), str(bucket("sal", "tZoë"))]
    assert bucket("salt", "Zoë") == pytest.approx(0.2907585867341499, abs=1e-15)
    assert said[0] != said[1]


# --- evidence ---------------------------------------------------------------------------------------------------------


def test_an_e_value_is_the_beta_binomial_ratio():
    # Of Beta(1, 1): 1 / ((n + 1) * C(n, w)) * 2^n
    assert exp(log_e_value(3, 1, prior=1)) == pytest.approx(2**4 / (5 * 4))
    assert log_e_value(0, 0) == 0
    assert log_e_value(7, 3) == log_e_value(3, 7)


def test_e_values_cost_nothing_on_average_where_there_is_no_difference():
    # The mean of an e-value over all outcomes of n coins is 1.
    from math import comb

    n = 30
    mean = sum(comb(n, w) / 2**n * exp(log_e_value(w, n - w)) for w in range(n + 1))
    assert mean == pytest.approx(1)


def test_a_share_speaks_only_where_it_is_exceeded():
    assert log_e_share(5, 100, 0.05) == 0
    assert log_e_share(30, 100, 0.05) > log(20)


def test_windows_of_one_source_are_within_the_limit_and_others_beyond_it():
    r = np.random.default_rng(0)
    same = [distance(r.normal(size=500), r.normal(size=500)) for _ in range(100)]
    assert max(same) < limit(500, 500, 0.0001)
    assert distance(r.normal(size=500), r.normal(0.5, size=500)) > limit(500, 500, 0.001)
    assert distance([1, 2, 3], [1, 2, 3]) == 0
    assert distance([1, 2], [3, 4]) == 1


# --- policy -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ((0.01, 1.0), "must begin with 0, which is shadow"),
        ((0.0,), "must begin with 0"),
        ((0.0, 0.25, 0.05, 1.0), "must rise up to 1"),
        ((0.0, 0.25), "must rise up to 1"),
        ((0.0, 0.5, 0.5, 1.0), "must rise up to 1"),
    ],
)
def test_a_policy_that_leaves_shadow_out_or_goes_down_is_refused(shares, says):
    with pytest.raises(BadParams, match=says):
        Policy(shares=shares)


GOOD = Summary(
    at_step=60,
    kinds={"letter": 60, "receipt": 40},
    verdicts={"letter": Tally(30, 10, 20), "receipt": Tally(15, 10, 5)},
    failures={"letter": Tally(0, 0, 60), "receipt": Tally(0, 0, 40)},
    empties={"letter": Tally(0, 0, 60), "receipt": Tally(0, 0, 40)},
    slow=(2, 100),
    slow_s=1.0,
)


@pytest.mark.parametrize(
    ("changed", "to", "because"),
    [
        ({}, "up", "Every rule"),
        ({"at_step": 49}, "stay", "Not kept: enough documents (49 read by both at this step, 50 are asked for)."),
        (
            {"verdicts": {"letter": Tally(20, 15, 25), "receipt": Tally(10, 9, 11)}},
            "stay",
            "Not kept: better on labelled",
        ),
        (
            {"verdicts": {"letter": Tally(60, 10, 20), "receipt": Tally(3, 2, 14)}},
            "stay",
            "Not kept: enough labelled documents on receipt (19 labelled, 20 are asked for).",
        ),
        (
            {"verdicts": {"letter": Tally(60, 10, 20), "receipt": Tally(4, 9, 14)}},
            "stay",
            "Not kept: no doubt on receipt (4 b",
        ),
        (
            {"verdicts": {"letter": Tally(90, 10, 0), "receipt": Tally(2, 23, 1)}},
            "stop",
            "Not kept: not worse on receipt (2 be",
        ),
        ({"failures": {"letter": Tally(0, 15, 45)}}, "stop", "Not kept: no more failures (15 on the"),
        ({"failures": {"letter": Tally(0, 10, 45)}}, "up", ""),
        ({"empties": {"receipt": Tally(1, 25, 9)}}, "stop", "Not kept: no more empty pages (25 on the"),
        ({"slow": (30, 100)}, "stop", "Not kept: p95 at most 1.5 times the champion's (30 of 100 documents"),
        (
            {"drifts": (Drift("letter", "words", 0.4, 0.05, 0.14),)},
            "stop",
            "Not kept: no drift of words on letter (moved by",
        ),
        ({"drifts": (Drift("letter", "words", 0.4, 0.35, 0.14),)}, "up", ""),  # it is the documents that changed
    ],
)
def test_each_rule_decides_by_itself(changed, to, because):
    move = decide(SHADOW, replace(GOOD, **changed), POLICY)
    assert move.to == to
    assert move.reason.startswith(because)


def test_later_steps_ask_for_more_labelled_documents_of_every_kind():
    assert decide(SHADOW, GOOD, POLICY).to == "up"
    assert decide(replace(SHADOW, step=1), GOOD, POLICY).to == "stay"


def test_replays_of_known_challengers_end_as_they_should():
    ends = {name: shares([replay(one, POLICY, seed) for seed in range(8)]) for name, one in CHALLENGERS.items()}
    assert ends["alike"]["let_up"] == 0
    assert ends["better on 60 %"]["let_up"] == 1
    assert ends["better on 70 %"]["differing_until"] <= 80
    assert ends["worse on receipts only"]["below_25_%"] == 1
    for name in ("crashing", "crashing on half", "sleeping", "blank on half"):
        assert ends[name]["stopped"] == 1
        assert ends[name]["at_most"] <= 50
    assert CHALLENGERS["alike"] == ALIKE


# --- state and followers ----------------------------------------------------------------------------------------------


def test_a_state_survives_as_text():
    assert State.from_json(SHADOW.to_json()) == SHADOW


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no state"),
        ("[]", "holds no state"),
        ('{"form": 2}', "has form 2; this version of ocrkit knows 1: upgrade it"),
        ('{"form": 1, "epoch": "many"}', "holds no state"),
    ],
)
def test_what_is_no_state_is_refused_with_a_sentence(text, says):
    with pytest.raises(BadState, match=says):
        State.from_json(text)


def test_a_follower_keeps_the_last_state_where_nobody_answers_and_over_restarts(tmp_path, caplog):
    answers: list[State | OcrkitError] = [SHADOW, OcrkitError("The store is down."), OcrkitError("Still.")]

    def source() -> State:
        answer = answers.pop(0)
        if isinstance(answer, OcrkitError):
            raise answer
        return answer

    follower = Follower(source, every_s=0, keep=tmp_path / "state.json")
    assert follower.refresh() == SHADOW
    assert follower.refresh() == SHADOW
    assert caplog.text.count("The last known versions stay in use: ocrkit-reader:1 and ocrkit-reader:2.") == 1
    answers.append(OcrkitError("Down at the start."))
    assert Follower(source, every_s=0, keep=tmp_path / "state.json").state == SHADOW
    answers.append(OcrkitError("Down at the start."))
    with pytest.raises(OcrkitError, match="Down at the start"):
        Follower(source, every_s=0)


def test_a_follower_never_goes_back_to_an_earlier_move():
    states = [replace(SHADOW, epoch=5), replace(SHADOW, epoch=4), replace(SHADOW, epoch=6)]
    follower = Follower(lambda: states.pop(0), every_s=0)
    assert [follower.refresh().epoch, follower.refresh().epoch] == [5, 6]


# --- ledger -----------------------------------------------------------------------------------------------------------


def seen(number: int, step: int = 0, kind: str = "letter", **its) -> Observation:
    champion, challenger = Numbers(0.1, words=20, confidence=0.9, letter_height=12.0), its.pop("challenger", None)
    challenger = challenger or replace(champion, **its)
    return Observation(pseudonym("salt", str(number)), step, kind, "champion", champion, challenger, 1, float(number))


def test_the_ledger_counts_by_kind_and_each_document_once(tmp_path):
    ledger = Ledger(tmp_path)
    for number in range(30):
        ledger.observe("salt", seen(number, kind="letter" if number % 3 else "receipt"))
    ledger.observe("salt", seen(0))
    ledger.observe("salt", seen(100, step=1, challenger=Numbers(9.0, failed=True)))
    ledger.observe("salt", seen(101, step=1, words=0))
    ledger.observe("other", seen(0))
    assert ledger.judge("salt", "a", "letter", 1)
    assert not ledger.judge("salt", "a", "letter", -1)
    ledger.judge("salt", "b", "receipt", 0)
    summary = ledger.summary("salt", 1, 1.5, 0.001)
    assert summary.kinds == {"letter": 22, "receipt": 10}
    assert summary.at_step == 2
    assert summary.failures == {"letter": Tally(0, 1, 21), "receipt": Tally(0, 0, 10)}
    assert summary.empties["letter"] == Tally(0, 1, 20)
    assert summary.verdicts == {"letter": Tally(1, 0, 0), "receipt": Tally(0, 0, 1)}
    assert summary.slow == (0, 31)
    assert summary.slow_s == pytest.approx(0.15)


def test_drift_is_told_by_kind_once_both_windows_are_full(tmp_path):
    ledger, r = Ledger(tmp_path), np.random.default_rng(1)
    with ledger._connected() as database:  # one by one would take a second
        for number in range(2 * WINDOW):
            words = r.poisson(50 if number < WINDOW else 30), r.poisson(50)
            row = ("salt", str(number), number, 0, "letter", "champion", 0)
            numbers = (0.1, 0, int(words[1]), 0.9, 12.0, 0.1, 0, int(words[0]), 0.9, 12.0)
            database.execute(f"INSERT INTO observation VALUES ({','.join('?' * 17)})", (*row, *numbers))
    drifts = {drift.feature: drift for drift in ledger.summary("salt", 0, 1.5, 0.001).drifts}
    assert drifts["words"].is_the_challengers
    assert not drifts["confidence"].is_the_challengers


def test_no_text_reaches_the_ledger(tmp_path):
    ledger = Ledger(tmp_path)
    follower = Follower(lambda: SHADOW, every_s=0)
    gate = Gate(follower, lambda pin, role: Says("ZQXJ", "CANARY"), ledger, POLICY)
    gate.read(IMAGE, "the key ZQXJ of a user", "a kind with CANARY in it")
    gate.wait()
    gate.close()
    assert ledger.summary("salt", 0, 1.5, 0.001).kinds == {"other": 1}
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"ZQXJ" not in data
    assert b"CANARY" not in data


def test_a_ledger_that_is_none_gets_a_sentence(tmp_path):
    (tmp_path / "rollout.db").write_bytes(b"no database, but long enough to be taken for one" * 100)
    with pytest.raises(OcrkitError, match=r"rollout\.db cannot be used"):
        Ledger(tmp_path)


# --- the gate ---------------------------------------------------------------------------------------------------------


class Says:
    """Reads always the same words."""

    def __init__(self, *texts: str) -> None:
        self.texts, self.closed = texts, False
        self.may_read = threading.Event()
        self.may_read.set()

    def read(self, image: np.ndarray) -> Page:
        assert self.may_read.wait(60)
        return page_of(*self.texts)

    def close(self) -> None:
        self.closed = True


class Breaks(Says):
    def read(self, image: np.ndarray) -> Page:
        raise ValueError("as an engine of another package may")


def gate_of(tmp_path, state: State, challenger: Says, champion: Says | None = None, **policy) -> Gate:
    engines = {CHAMPION: champion or Says("a", "b"), CHALLENGER: challenger}
    follower = Follower(lambda: state, every_s=0)
    gate = Gate(follower, lambda pin, role: engines[pin], Ledger(tmp_path), replace(POLICY, **policy))
    gate.wait_until_loaded()
    return gate


def test_in_shadow_everybody_gets_the_champions_answer_and_both_are_compared(tmp_path):
    gate = gate_of(tmp_path, SHADOW, Says("a", "c"))
    served = [gate.read(IMAGE, str(key)) for key in range(5)]
    gate.wait()
    gate.close()
    assert {(one.role, one.page.text, one.pin) for one in served} == {("champion", "a b", CHAMPION)}
    rows = Ledger(tmp_path)._rows("SELECT differing, a_words, b_words FROM observation")
    assert rows == [(2, 2, 2)] * 5


def test_at_a_step_the_same_keys_always_get_the_challenger(tmp_path):
    state = replace(SHADOW, step=3)
    gate = gate_of(tmp_path, state, Says("c"), backlog=200)
    roles = [[gate.read(IMAGE, str(key)).role for key in range(60)] for _ in range(2)]
    gate.wait()
    gate.close()
    assert roles[0] == roles[1]
    assert roles[0] == ["challenger" if in_group("salt", str(key), 0.25) else "champion" for key in range(60)]
    assert Ledger(tmp_path).summary("salt", 3, 1.5, 0.001).at_step == 60


@pytest.mark.parametrize("challenger", [Breaks(), None])
def test_where_the_challenger_breaks_or_does_not_load_the_champion_answers_and_it_counts(tmp_path, challenger):
    state = replace(SHADOW, step=3)

    def load(pin: Pin, role: str) -> Says:
        if pin == CHAMPION:
            return Says("a", "b")
        if challenger is None:
            raise OcrkitError("It does not load.")
        return challenger

    gate = Gate(Follower(lambda: state, every_s=0), load, Ledger(tmp_path), replace(POLICY, backlog=100))
    gate.wait_until_loaded()
    texts = {gate.read(IMAGE, str(key)).page.text for key in range(40)}
    gate.wait()
    gate.close()
    assert texts == {"a b"}
    summary = Ledger(tmp_path).summary("salt", 3, 1.5, 0.001)
    assert summary.failures["other"].losses >= 35
    assert decide(state, summary, POLICY).to == "stop"


def test_an_answer_does_not_wait_for_the_second_reading(tmp_path):
    challenger = Says("c")
    challenger.may_read.clear()
    gate = gate_of(tmp_path, SHADOW, challenger, backlog=2)
    served = [gate.read(IMAGE, str(key)) for key in range(8)]  # none of them has a second reading yet
    assert {one.page.text for one in served} == {"a b"}
    challenger.may_read.set()
    gate.wait()
    gate.close()
    skipped = Ledger(tmp_path).skipped("salt")
    assert sum(skipped.values()) >= 5
    assert set(skipped) == {"too many waited for their second reading"}


def test_a_new_champion_serves_as_soon_as_it_is_loaded_and_the_old_one_is_closed(tmp_path):
    state = [SHADOW]
    engines = {CHAMPION: Says("old"), CHALLENGER: Says("new")}
    follower = Follower(lambda: state[0], every_s=0)
    gate = Gate(follower, lambda pin, role: engines[pin], Ledger(tmp_path), POLICY)
    assert gate.read(IMAGE, "key").page.text == "old"
    gate.wait()
    state[0] = replace(SHADOW, epoch=2, champion=CHALLENGER, challenger=None, outcome="won")
    follower.refresh()
    deadline = time.monotonic() + 60
    while gate.read(IMAGE, "key").page.text == "old" and time.monotonic() < deadline:
        time.sleep(0.02)
    served = gate.read(IMAGE, "key")
    assert (served.page.text, served.pin, served.epoch) == ("new", CHALLENGER, 2)
    while not engines[CHAMPION].closed and time.monotonic() < deadline:
        time.sleep(0.02)
    assert engines[CHAMPION].closed
    gate.close()


# --- OpenFeature ------------------------------------------------------------------------------------------------------


def test_any_program_may_ask_by_openfeature():
    api = pytest.importorskip("openfeature.api")
    from openfeature.evaluation_context import EvaluationContext

    from ocrkit.rollout.flags import CHALLENGED, READER, RolloutProvider

    state = replace(SHADOW, step=3)
    api.set_provider(RolloutProvider(Follower(lambda: state, every_s=0)), "asked")
    client = api.get_client("asked")
    keys = [str(key) for key in range(50)]
    said = [client.get_boolean_value(CHALLENGED, False, EvaluationContext(key)) for key in keys]
    assert said == [in_group("salt", key, 0.25) for key in keys]
    key = keys[said.index(True)]
    assert client.get_string_value(READER, "", EvaluationContext(key)) == "ocrkit-reader:2"
    details = client.get_boolean_details(CHALLENGED, True, EvaluationContext())
    assert (details.value, details.error_code) == (True, "TARGETING_KEY_MISSING")
    assert client.get_boolean_details("other", False, EvaluationContext("k")).error_code == "FLAG_NOT_FOUND"
    assert client.get_float_details(CHALLENGED, 0.5, EvaluationContext("k")).error_code == "TYPE_MISMATCH"


def test_somebody_elses_flags_may_decide_who_has_the_challenger():
    pytest.importorskip("openfeature.api")
    from ocrkit.rollout.flags import assignment

    flags = _flags()
    chosen = assignment("openfeature.provider.in_memory_provider:InMemoryProvider", flags=flags)
    state = replace(SHADOW, step=3)
    assert chosen(state, "anybody")
    with pytest.raises(BadParams, match="gives no OpenFeature provider"):
        assignment("no.such:Provider")


def _flags() -> dict:
    from openfeature.provider.in_memory_provider import InMemoryFlag

    return {"ocr-challenger": InMemoryFlag("on", {"on": True, "off": False})}
