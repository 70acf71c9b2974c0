"""Evidence that may be looked at every day: e-values, which no number of looks makes wrong.

An e-value is the likelihood of what was counted under a mixture of alternatives over that under the null hypothesis.
Where the null hypothesis holds, the chance that it ever reaches 1 / alpha is at most alpha (Ville's inequality),
however often it is looked at; a p-value that is looked at daily has no such bound.

Ramdas, Grünwald, Vovk & Shafer, "Game-theoretic statistics and safe anytime-valid inference" (2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, lgamma, log

_PRIOR = 10.0  # of the Beta mixture: most weight on shares of wins between 0.3 and 0.7, which is what readers differ by


def log_e_value(wins: int, losses: int, prior: float = _PRIOR) -> float:
    """Natural logarithm of the e-value against "wins and losses are equally likely".

    Args:
        wins: documents on which one reader was better.
        losses: documents on which the other was.
        prior: both parameters of the Beta mixture.
    """
    return _log_beta(prior + wins, prior + losses) - _log_beta(prior, prior) + (wins + losses) * log(2)


def log_e_share(hits: int, trials: int, share: float) -> float:
    """Natural logarithm of the e-value against "at most `share` of the trials are hits"; 0 where no more of them are.

    Args:
        hits: trials of the kind that is watched, such as documents that took too long.
        trials: all.
        share: within (0, 1), that is allowed.
    """
    if hits <= share * trials:
        return 0.0
    mixture = _log_beta(1 + hits, 1 + trials - hits)  # of all shares alike
    return mixture - hits * log(share) - (trials - hits) * log(1 - share)


def chance_of_losses(wins: int, losses: int) -> float:
    """The chance of that many losses or more if wins and losses were equally likely."""
    trials = wins + losses
    if trials > 1000:  # the exact sum's numbers become too large to be of use
        from statistics import NormalDist

        return 1 - NormalDist(trials / 2, trials**0.5 / 2).cdf(losses - 0.5) if losses else 1.0
    return float(sum(comb(trials, k) for k in range(losses, trials + 1)) / 2**trials)


@dataclass(frozen=True)
class Tally:
    """On how many documents the challenger was better, worse, or the same."""

    wins: int = 0
    losses: int = 0
    ties: int = 0

    @property
    def documents(self) -> int:
        """All that were counted."""
        return self.wins + self.losses + self.ties

    @property
    def log_e(self) -> float:
        """How strongly wins and losses speak against a draw; see `log_e_value`."""
        return log_e_value(self.wins, self.losses)

    def is_better(self, alpha: float) -> bool:
        """Whether the challenger is better, at a chance of error of `alpha` over all looks."""
        return self.wins > self.losses and self.log_e >= -log(alpha)

    def is_worse(self, alpha: float) -> bool:
        """Whether the challenger is worse, at a chance of error of `alpha` over all looks."""
        return self.losses > self.wins and self.log_e >= -log(alpha)

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.wins + other.wins, self.losses + other.losses, self.ties + other.ties)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
