"""Work spread over processes: each piece is done once, and a process that ends takes nothing else with it."""

from __future__ import annotations

import multiprocessing
import signal

import odd_work
import pytest

from ocrkit.errors import OcrkitError
from ocrkit.workers import Lost, spread


@pytest.mark.parametrize("workers", [1, 2])
def test_every_piece_of_work_is_done_once_and_tells_what_it_does(workers):
    told: list[int] = []
    done = dict(spread(odd_work.squared, range(5), workers, tell=told.append))
    assert done == {number: number * number for number in range(5)}
    assert sorted(told) == list(range(5))


def test_a_process_that_is_killed_is_replaced_and_what_it_was_at_is_tried_once_more(tmp_path):
    items = [(number, str(tmp_path)) for number in range(4)]
    done = {item[0]: value for item, value in spread(odd_work.ended_by_odd_numbers, items, 2)}
    assert done == {0: 0, 1: 1, 2: 2, 3: Lost("was ended by signal SIGKILL")}


def test_each_process_works_on_one_thread_and_none_is_left_behind():
    results = dict(spread(odd_work.threads, range(2), 2))
    assert set(results.values()) == {(1, 1, 0)}
    assert multiprocessing.active_children() == []


def test_ctrl_c_is_for_the_one_that_started_the_processes_from_their_first_moment_on():
    assert set(dict(spread(odd_work.is_deaf, range(4), 2)).values()) == {True}
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_scheduler_that_does_not_answer_is_a_sentence():
    pytest.importorskip("distributed", reason="Dask comes with the extra cluster")
    with pytest.raises(OcrkitError, match=r"^No Dask scheduler with a worker answers at tcp://127\.0\.0\.1:1\.$"):
        list(spread(odd_work.squared, [1], 2, "tcp://127.0.0.1:1"))
