"""Who answers: oneself in a notebook, contractors under an agreement, or a crowd."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ocrkit.datasets import LabelledPage
from ocrkit.errors import BadParams, OcrkitError, PrivateData
from ocrkit.labelling.jobs import GOLD_LEAST, Job, Store, Worker
from ocrkit.metrics import wilson_interval

PRIVATE_FORMS = frozenset({"vault"})  # whose pages only people under an agreement may see
DEFAULT = "contractors"
CLOSED = (
    "Amazon has taken no new requesters for Mechanical Turk since 30 July 2026, and its documentation says that the "
    "service closed for good on 30 September 2026: choose --pool contractors, which is the default, or --pool prolific."
)


class PoolDown(OcrkitError):
    """A crowd's service that does not answer, or says no."""


class TooDear(BadParams):
    """What sending costs is more than was allowed."""


@dataclass(frozen=True)
class Pool:
    """A kind of people.

    Attributes:
        under_nda: each of them accepts an agreement before they see anything, so that they may see private pages.
        fee: that a crowd's owner takes, as a share of the pay.
        least_fee_usd: of an answer.
        many: people a task from which the fee is twice that; 0 where it never is.
    """

    name: str
    under_nda: bool = False
    fee: float = 0.0
    least_fee_usd: float = 0.0
    many: int = 0

    def answer_usd(self, pay_usd: float, redundancy: int) -> float:
        """What an answer costs, pay and fee."""
        fee = self.fee * (2 if self.many and redundancy >= self.many else 1)
        return pay_usd + (max(fee * pay_usd, self.least_fee_usd) if pay_usd else 0.0)


# Fees change: check them before you send. By public transcriptions of mturk.com/pricing (7 October 2026), 20 %, at
# least a cent, twice that from ten people a task; and of prolific.com/pricing (20 September 2026),
# 42.8 % for companies; universities and charities pay 33.3 %, and the dearer one is the ceiling for both.
POOLS = {
    pool.name: pool
    for pool in (
        Pool("notebook"),
        Pool("contractors", under_nda=True),
        Pool("mturk", fee=0.2, least_fee_usd=0.01, many=10),
        Pool("prolific", fee=0.428),
    )
}


def is_private(form: str, pages: Iterable[LabelledPage] = ()) -> bool:
    """Whether pages of this form, or any of these, may be shown under an agreement only."""
    return form in PRIVATE_FORMS or any(getattr(page, "private", False) for page in pages)


def check_pool(job: Job, pool: Pool) -> None:
    """Make sure that the people of a pool may see a job.

    Raises:
        PrivateData: they may not.
    """
    if (job.private or is_private(job.form)) and not pool.under_nda:
        allowed = ", ".join(name for name, other in POOLS.items() if other.under_nda)
        raise PrivateData(
            f"The job {job.name} shows private pages, and the pool {pool.name} is under no agreement: "
            f"nothing was sent. Pools for private pages: {allowed}."
        )


def cost_usd(store: Store, job: Job, pool: Pool) -> tuple[int, float]:
    """How many answers are still to be asked for, and what they cost with the pool's fee, in whole cents."""
    sent = {row["task"] for row in store.sent(job, pool.name)}
    template = job.template
    answers = template.redundancy * sum(task["id"] not in sent for task in store.tasks(job))
    return answers, whole_cents(answers * pool.answer_usd(template.pay_usd, template.redundancy))


def whole_cents(usd: float) -> float:
    """Rounded up, but for what floats add."""
    return math.ceil(100 * usd - 1e-6) / 100


def check_cost(usd: float, most_usd: float | None, answers: int) -> None:
    """Make sure that somebody agreed to the cost before anything is sent.

    Raises:
        TooDear: it is more than `most_usd`, or nobody said how much it may be.
    """
    if most_usd is None:
        raise TooDear(f"{answers:,} answers would cost ${usd:,.2f} with the pool's fee: allow that with --most-usd.")
    if usd > most_usd:
        raise TooDear(f"{answers:,} answers would cost ${usd:,.2f}, more than the ${most_usd:,.2f} that are allowed.")


@dataclass
class Settled:
    """What came of collecting from a crowd: new answers, and how many were approved and rejected."""

    new: int = 0
    approved: int = 0
    rejected: int = 0


def settle(store: Store, job: Job, worker: Worker, fault: str) -> str:
    """Why an answer is rejected; empty where it is approved.

    People are paid unless their answer is none (`fault`), or the gold tasks show that they are surely worse than asked.
    """
    right, count = store.gold_score(job, worker)
    wanted = job.template.gold_accuracy
    if not fault and count >= GOLD_LEAST and wilson_interval(right, count).high < wanted:
        return f"{right} of your answers to {count} words that we know were right, and {wanted:.0%} are asked for."
    return fault
