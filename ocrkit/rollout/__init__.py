"""From champion to everybody: who reads which document while a challenger is tried, and what lets it rise or fall.

A rollout takes a challenger from shadow, where its answers are only compared, over growing shares of the documents to
all of them. `Policy` says how; `decide` looks at what was counted and says what is next; `Gate` reads documents by it.
Nothing here knows MLflow: `ocrkit.studies.rollout` keeps the state in its registry.
"""

from ocrkit.rollout.assign import bucket, in_group
from ocrkit.rollout.evidence import Tally, log_e_share, log_e_value
from ocrkit.rollout.follow import Follower
from ocrkit.rollout.gate import Gate, Served
from ocrkit.rollout.ledger import Ledger, Numbers, Observation, Summary
from ocrkit.rollout.policy import Check, Move, Policy, decide
from ocrkit.rollout.state import Pin, State

__all__ = [
    "Check",
    "Follower",
    "Gate",
    "Ledger",
    "Move",
    "Numbers",
    "Observation",
    "Pin",
    "Policy",
    "Served",
    "State",
    "Summary",
    "Tally",
    "bucket",
    "decide",
    "in_group",
    "log_e_share",
    "log_e_value",
]
