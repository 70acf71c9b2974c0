"""People who never existed, with known rates of right answers, to try methods on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import numpy as np

from ocrkit.labelling.jobs import Job, NewTask, Store, Vote
from ocrkit.labelling.tasks import png

# What is often taken for what; other letters are taken for any.
_CONFUSED = {"0": "O8", "1": "l7", "5": "S6", "8": "B3", "O": "0Q", "S": "5", "l": "1I", "m": "rn", "e": "c", "c": "e"}


def misread(text: str, r: Random) -> str:
    """`text` as somebody types it who errs: one character wrong, left out, doubled, or swapped with the next."""
    if not text:
        return "x"
    place = r.randrange(len(text))
    how = r.random()
    if how < 0.6:
        other = r.choice(_CONFUSED.get(text[place], "abcdefghijklmnopqrstuvwxyz0123456789"))
        wrong = text[:place] + other + text[place + 1 :]
    elif how < 0.75 and len(text) > 1:
        wrong = text[:place] + text[place + 1 :]
    elif how < 0.9 or len(text) == place + 1:
        wrong = text[:place] + text[place] + text[place:]
    else:
        wrong = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return wrong if wrong != text else text + "."


def votes(truths: Sequence[str], rates: Sequence[float], people_a_task: int, seed: int = 7) -> list[Vote]:
    """Answers to tasks 0, 1, ... whose texts are `truths`, by people 0, 1, ... who are right with `rates`."""
    r = Random(f"{seed}/votes")
    answers: list[Vote] = []
    for task, truth in enumerate(truths):
        for worker in r.sample(range(len(rates)), people_a_task):
            text = truth if r.random() < rates[worker] else misread(truth, r)
            answers.append(Vote(task, worker, {"text": text}, r.uniform(1, 6), float(len(answers)), None))
    return answers


def answer_all(store: Store, job: Job, truths: Mapping[str, str], rates: Mapping[str, float], seed: int = 7) -> None:
    """Let people answer a job to its end, in turn.

    Args:
        store: of the job.
        job: its tasks.
        truths: texts by the keys of the tasks.
        rates: shares of right answers by the people's names.
        seed: of chance.
    """
    r = Random(f"{seed}/answers")
    people = {name: store.worker(name, "notebook", make=True) for name in rates}
    busy = dict(people)
    while busy:
        for name, worker in list(busy.items()):
            lease = store.lease(job, worker)
            if lease is None:
                del busy[name]
                continue
            truth = truths[lease.key]
            text = truth if r.random() < rates[name] else misread(truth, r)
            store.answer(job, worker, lease.task, {"text": text}, r.uniform(1, 6), f"{lease.task}/{worker.id}")


def blank_tasks(count: int) -> list[NewTask]:
    """Tasks without much of a picture, for what only needs many."""
    pixel = png(np.full((1, 1), 128, np.uint8))
    return [NewTask(f"t{number}", {"reading": f"word{number}"}, pixel) for number in range(count)]
