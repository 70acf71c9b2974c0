"""What a person is asked and may answer: built-in templates, and those of TOML files that extend them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ocrkit.alphabet import normalise
from ocrkit.errors import BadParams, OcrkitError, quoted
from ocrkit.files import plain
from ocrkit.options import mistakes

_FOLDER = Path(__file__).with_name("templates")
BUILT_IN = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))
_MOST_BOXES = 5000
_FARTHEST_PX = 100_000.0


class BadTemplate(BadParams):
    """A template with an unknown key, an ill-typed value or one that makes no sense."""


class BadAnswer(OcrkitError):
    """An answer that the task does not allow; the person may mend it."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_Frozen):
    """A key's meaning: a flag in place of a text, or a kind of document."""

    name: str
    label: Annotated[str, Field(min_length=1, max_length=80)]

    @field_validator("name")
    @classmethod
    def _is_plain(cls, name: str) -> str:
        if not re.fullmatch("[a-z0-9_-]{1,40}", name):
            raise ValueError(f"{quoted(name)} is no name: 1 to 40 small letters, figures, - and _ are taken")
        return name


class Example(_Frozen):
    """A text as it is printed and how it is to be answered."""

    shown: Annotated[str, Field(max_length=200)]
    answer: Annotated[str, Field(max_length=200)]
    why: Annotated[str, Field(max_length=400)] = ""


class Template(_Frozen):
    """One kind of task.

    Attributes:
        name: of the template, or of its file.
        interface: what the page shows: a text field, a list of choices, or boxes on a page.
        title: the question.
        instructions: shown above every task, as plain text.
        choices: what keys 1 to 9 answer: flags beside a text, or all that can be chosen.
        hint: our reading stands in the field to begin with; without it people are not led by it.
        candidates: all readings are shown, for the arrow keys.
        pattern: regular expression that a whole text must match; empty for any.
        alphabet: characters that a text may hold: those of the `model`, `any`, or these.
        longest: characters of a text.
        examples: shown on demand.
        redundancy: people who answer each task.
        gold_share: of the tasks that a person gets, those whose answer is known.
        gold_accuracy: share of gold answers that must be right; who is surely below is paused.
        lease_s: seconds that a person has for a task.
        seconds: that a task takes, as the crowd is told and paid for.
        pay_usd: for a task.
    """

    name: str
    interface: Literal["text", "choice", "boxes"]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    instructions: Annotated[str, Field(max_length=4000)] = ""
    choices: Annotated[tuple[Choice, ...], Field(max_length=9)] = ()
    hint: bool = True
    candidates: bool = False
    pattern: Annotated[str, Field(max_length=400)] = ""
    alphabet: Annotated[str, Field(min_length=1)] = "model"
    longest: Annotated[int, Field(ge=1, le=1000)] = 120
    examples: Annotated[tuple[Example, ...], Field(max_length=20)] = ()
    redundancy: Annotated[int, Field(ge=1, le=50)] = 1
    gold_share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    gold_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.8
    lease_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    seconds: Annotated[float, Field(gt=0)] = 5.0
    pay_usd: Annotated[float, Field(ge=0, le=1000)] = 0.0

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _makes_sense(self) -> Template:
        names = [choice.name for choice in self.choices]
        if len(set(names)) < len(names):
            raise ValueError("two choices have one name")
        if self.interface == "choice" and len(names) < 2:
            raise ValueError("a choice needs at least two choices")
        return self

    def checked(self, value: Any) -> dict[str, Any]:
        """An answer as it is kept: `{"text": ...}`, `{"choice": ...}` or `{"boxes": [{"box", "text"}, ...]}`.

        Raises:
            BadAnswer: it is none of these, or not one that this template allows.
        """
        if not isinstance(value, dict) or len(value) != 1:
            raise BadAnswer(f"An answer has a text, a choice or boxes, not {quoted(value)}.")
        if "choice" in value and value["choice"] in [choice.name for choice in self.choices]:
            return {"choice": value["choice"]}
        if self.interface == "text" and "text" in value:
            return {"text": self._text(value["text"])}
        if self.interface == "boxes" and "boxes" in value:
            return {"boxes": self._boxes(value["boxes"])}
        raise BadAnswer(f"This task has no answer {quoted(value)}.")

    def _text(self, text: Any, may_be_empty: bool = False) -> str:
        if not isinstance(text, str):
            raise BadAnswer("The text is no text.")
        text = normalise(text).strip()
        if not text and not may_be_empty:
            raise BadAnswer("Nothing was typed: type what is printed, or say with a key that there is nothing to read.")
        if len(text) > self.longest:
            raise BadAnswer(f"The text has {len(text)} characters, and {self.longest} at most are taken.")
        # Whatever is not printed cannot be seen by the next person either.
        strange = sorted({c for c in text if not c.isprintable() or not self._knows(c)})
        if strange:
            shown = " ".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in strange)
            raise BadAnswer(f"These characters are not among those that the model learns: {shown}")
        if self.pattern and text and not re.fullmatch(self.pattern, text):
            like = next((e.answer for e in self.examples if re.fullmatch(self.pattern, e.answer)), "")
            asked = f", such as {like}" if like else f": {self.pattern}"  # who answers need not know what patterns are
            raise BadAnswer(f"{quoted(text)} is not of the form that is asked for{asked}")
        return text

    def _knows(self, character: str) -> bool:
        return self.alphabet in ("any", "model") or character in self.alphabet or character == " "

    def _boxes(self, boxes: Any) -> list[dict[str, Any]]:
        if not isinstance(boxes, list) or len(boxes) > _MOST_BOXES:
            raise BadAnswer(f"Boxes are a list of {_MOST_BOXES:,} at most.")
        kept = []
        for entry in boxes:
            try:
                x0, y0, x1, y1 = (round(float(side), 1) for side in entry["box"])
                text = self._text(entry["text"], may_be_empty=True)
            except (KeyError, TypeError, ValueError, OverflowError):
                raise BadAnswer(f"A box has four sides and a text, not {quoted(entry)}.") from None
            if not (0 <= x0 < x1 <= _FARTHEST_PX and 0 <= y0 < y1 <= _FARTHEST_PX):
                raise BadAnswer("A box has no area, or lies outside the page.")
            kept.append({"box": [x0, y0, x1, y1], "text": text})
        return kept


def load_template(name: str) -> Template:
    """A built-in template by its name, or the one of a TOML file, laid over the one that it `extends`.

    Raises:
        BadTemplate: there is none, or a file with an unknown key, a wrong value, or that extends itself.
    """
    return _checked(_merged(name, ()), name)


def _merged(name: str, seen: tuple[str, ...]) -> dict[str, Any]:
    path = _FOLDER / f"{name}.toml" if name in BUILT_IN else Path(name)
    if name in seen:
        raise BadTemplate(f"The template {name} extends itself.")
    if path.suffix != ".toml" or not path.is_file():
        raise BadTemplate(f"There is no template {name!r}: choose one of {', '.join(BUILT_IN)}, or name a TOML file.")
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadTemplate(f"{path} cannot be read as TOML: {error}.") from None
    base = values.pop("extends", None)
    if base is None:
        return {**values, "name": path.stem}
    if not isinstance(base, str):
        raise BadTemplate(f"{path}: extends is the name of a template, not {quoted(base)}.")
    beside = path.parent / base
    return {**_merged(str(beside) if beside.is_file() else base, (*seen, name)), **values, "name": path.stem}


def _checked(values: dict[str, Any], origin: str) -> Template:
    try:
        return Template.model_validate(values)
    except ValidationError as error:
        raise BadTemplate(f"The template {origin} cannot be used: {mistakes(error, Template)}.") from None


def stored(template: Template) -> dict[str, Any]:
    """A template as JSON holds it; `Template.model_validate` takes it back."""
    values: dict[str, Any] = plain(template.model_dump())
    return values
