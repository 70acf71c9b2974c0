"""What a donor agreed to."""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ocrkit.errors import BadVault
from ocrkit.options import mistakes

Use = Literal["train", "evaluate", "label"]
USES: tuple[Use, ...] = get_args(Use)


class Consent(BaseModel):
    """What a donor allows, by which wording, and for how long.

    Attributes:
        donor: a name that the vault knows the donor by; better a number than a person's name.
        uses: what the documents may be read for.
        wording_sha256: digest of the text that was agreed to.
        given: first day.
        until: last day; `None` for no end.
        withdrawn: the day it was taken back.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    donor: str = Field(min_length=1, max_length=100)
    uses: tuple[Use, ...]
    wording_sha256: str
    given: date
    until: date | None = None
    withdrawn: date | None = None

    @field_validator("wording_sha256")
    @classmethod
    def _is_digest(cls, digest: str) -> str:
        if not re.fullmatch("[0-9a-f]{64}", digest):
            raise ValueError("a SHA-256 has 64 figures and letters from a to f, as sha256sum prints them")
        return digest

    @model_validator(mode="after")
    def _in_order(self) -> Consent:
        if self.until is not None and self.until < self.given:
            raise ValueError("until is before given")
        return self

    def __str__(self) -> str:
        """As a sentence names it."""
        uses = f"to {', '.join(self.uses)}" if self.uses else "to no use"
        days = f"from {self.given}" + (f" until {self.until}" if self.until else "")
        return f"{uses}, {days}, by the wording {self.wording_sha256[:12]}"

    def allows(self, use: Use, today: date) -> bool:
        """Whether documents may be read for `use` on that day."""
        return not self.refusal(use, today)

    def refusal(self, use: Use, today: date) -> str:
        """Why they may not; empty where they may."""
        if self.withdrawn:
            return f"withdrawn on {self.withdrawn}"
        if today < self.given:
            return f"not given before {self.given}"
        if self.until and today > self.until:
            return f"ended on {self.until}"
        return "" if use in self.uses else f"not given for the use {use}"


class _Written(BaseModel):
    """What a file says of a consent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uses: tuple[Use, ...]
    wording: str = ""
    wording_sha256: str = ""
    given: date
    until: date | None = None

    @model_validator(mode="after")
    def _has_wording(self) -> _Written:
        if bool(self.wording) == bool(self.wording_sha256):
            raise ValueError("name the text that was agreed to, as wording (its file) or wording_sha256 (its digest)")
        return self


def load_consent(path: Path, donor: str) -> Consent:
    """The consent in a TOML file, for `donor`.

        uses = ["train", "evaluate"]
        wording = "consent-2026.txt"  # beside this file; or wording_sha256 = "..."
        given = 2026-05-01
        until = 2028-05-01            # may be left out

    Raises:
        BadVault: the file or its wording cannot be read, something in it is missing or unknown, or it does not hold
            today.
    """
    try:
        told = _Written.model_validate(tomllib.loads(path.read_text("utf-8")))
        if told.wording:
            digest = hashlib.sha256((path.parent / told.wording).read_bytes()).hexdigest()
        else:
            digest = told.wording_sha256
        consent = Consent(donor=donor, uses=told.uses, wording_sha256=digest, given=told.given, until=told.until)
    except OSError as error:
        raise BadVault(f"{error.filename} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise BadVault(f"{path} says no consent that can be kept: {mistakes(error, _Written)}.") from None
    except ValueError as error:
        raise BadVault(f"{path} is no TOML file: {error}.") from None
    today = date.today()  # where the donor is, or near there
    if today < consent.given:
        raise BadVault(
            f"{path} says that the consent is given on {consent.given}, which is still to come: add what it "
            "is about on that day, or mend the date."
        )
    if consent.until and today > consent.until:
        raise BadVault(f"{path} says that the consent ended on {consent.until}: nothing could be read by it.")
    return consent
