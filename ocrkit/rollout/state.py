"""Where a rollout stands: which two versions, which step, for whom. One immutable value, so that it is never torn."""

from __future__ import annotations

import dataclasses
import json
from typing import Literal

import pydantic

from ocrkit.errors import OcrkitError
from ocrkit.options import options_class

FORM = 1  # of the state's text; a later version of the kit that writes another one raises it
ENGINE = "engine"


class BadState(OcrkitError):
    """What stands in the registry is no state of a rollout that this version of the kit understands."""


@options_class
class Pin:
    """What reads: a version of a registered reader, or another engine.

    Attributes:
        name: of the registered model, or `engine`.
        version: its number, or the engine's name.
    """

    name: str
    version: str

    @property
    def is_engine(self) -> bool:
        """Whether it is another engine, not one of the registry's versions."""
        return self.name == ENGINE

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@options_class
class State:
    """Where a rollout stands.

    Attributes:
        epoch: counts the moves; a higher one replaces a lower.
        champion: what served before, and serves all that the challenger does not.
        challenger: what is tried; after the end of a rollout that was won, `None`, and the champion is the new one.
        step: place in `shares`.
        shares: of the documents, at each step: 0 is shadow.
        salt: of the assignment; see `ocrkit.rollout.bucket`.
        since: when the step began, seconds since 1970.
        outcome: `running`; `won`, when everybody has the challenger; or `stopped`.
        reason: of the last move, for people.
        by: who moved it.
        run: id of the move's run in MLflow.
    """

    epoch: int
    champion: Pin
    challenger: Pin | None
    step: int
    shares: tuple[float, ...]
    salt: str
    since: float
    outcome: Literal["running", "won", "stopped"] = "running"
    reason: str = ""
    by: str = ""
    run: str = ""

    @property
    def share(self) -> float:
        """Of the documents, that the challenger answers now."""
        return self.shares[self.step] if self.is_running else 0.0

    @property
    def is_running(self) -> bool:
        """Whether a challenger is being tried."""
        return self.outcome == "running" and self.challenger is not None

    @property
    def stage(self) -> str:
        """The step's name for people."""
        if not self.is_running:
            return self.outcome
        return "shadow" if self.share == 0 else percent(self.share)

    def up(self, now: float, reason: str, by: str = "") -> State:
        """One step up; at the last one the challenger becomes the champion."""
        assert self.challenger is not None, "a rollout that runs has a challenger"
        step, epoch = self.step + 1, self.epoch + 1
        new = dataclasses.replace(self, epoch=epoch, step=step, since=now, reason=reason, by=by, run="")
        if self.shares[step] < 1:
            return new
        return dataclasses.replace(new, champion=self.challenger, challenger=None, outcome="won")

    def stopped(self, now: float, reason: str, by: str = "") -> State:
        """Everything is the champion's again."""
        return dataclasses.replace(
            self, epoch=self.epoch + 1, since=now, outcome="stopped", reason=reason, by=by, run=""
        )

    def to_json(self) -> str:
        """The state as one line of text."""
        return json.dumps({"form": FORM, **dataclasses.asdict(self)}, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> State:
        """The state that `to_json` wrote.

        Raises:
            BadState: it is none, or a later version's.
        """
        try:
            values = json.loads(text)
            form = values.pop("form", None)
            if form != FORM:
                raise BadState(
                    f"The state of the rollout has form {form!r}; this version of ocrkit knows {FORM}: upgrade it."
                )
            return pydantic.TypeAdapter(cls).validate_python(values)
        except (ValueError, AttributeError, TypeError) as error:  # pydantic's and json's are ValueErrors
            raise BadState(f"The registry's tag `rollout` holds no state of a rollout: {error}.") from None


def percent(share: float) -> str:
    """A share for people: 0.01 is "1 %"."""
    return f"{100 * share:.3g} %"
