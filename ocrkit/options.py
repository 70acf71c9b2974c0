"""Classes of options: frozen data classes that refuse unknown names and wrong types; and how such mistakes are told.

The fields' defaults are those of the step that the options belong to. What `params.yaml` says is checked by the same
classes as what code says.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast, dataclass_transform, get_args

import pydantic.dataclasses
from pydantic import BaseModel, ValidationError

from ocrkit.errors import quoted

T = TypeVar("T")

# What was expected, by pydantic's names of mistakes; of others its own sentence is put into our words.
_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table of names and values",
    "model_type": "a table of names and values",
    "dataclass_type": "a table of names and values",
    "date_type": "a date such as 2026-05-31",
    "date_parsing": "a date such as 2026-05-31",
    "date_from_datetime_parsing": "a date such as 2026-05-31",
    "date_from_datetime_inexact": "a date such as 2026-05-31",
    "none_required": "null",
}


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def options_class(cls: type[T]) -> type[T]:
    """A frozen pydantic data class without extra fields; a wrong value raises `pydantic.ValidationError`."""
    make = pydantic.dataclasses.dataclass(frozen=True, config=pydantic.ConfigDict(extra="forbid"))
    return cast(type[T], make(cls))


def near(name: str, known: Iterable[str]) -> str:
    """What to say of a name that is not among the `known` ones: the one that was meant, or else all there are."""
    known = [str(one) for one in known]
    alike = difflib.get_close_matches(name, known, 1)
    return f"did you mean {alike[0]}?" if alike else f"there are {', '.join(known)}"


def mistake(error: Mapping[str, Any], place: str) -> str:
    """One of `ValidationError.errors()` in a sentence without its full stop: `speed must be a number, not 'x'`.

    Args:
        error: what pydantic says.
        place: of the value; empty where all of them together are wrong.
    """
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] == "value_error":  # a validator's own words
        return f"{place}: " * bool(place) + str(error["msg"]).removeprefix("Value error, ")
    told = re.sub(r"^\w+ should ", "must ", str(error["msg"])).replace(" after validation", "")
    if error["type"] in _EXPECTED:
        told = f"must be {_EXPECTED[error['type']]}"
    return f"{place} {told}" if ", not " in told else f"{place} {told}, not {quoted(error['input'])}"


def mistakes(error: ValidationError, model: type[BaseModel]) -> str:
    """All that is wrong with the content of a file that was to be a `model`, without a full stop.

    A key that is not known is named with the one that was meant, which is then not said to be missing.
    """
    unknown, others, meant = [], [], set()
    for each in error.errors():
        place = ", ".join(f"entry {part + 1}" if isinstance(part, int) else part for part in each["loc"])
        if each["type"] == "extra_forbidden":
            *above, name = each["loc"]
            known = _keys(model, above)
            unknown.append(f"there is no key {place} ({near(str(name), known)})")
            meant |= {(*above, key) for key in difflib.get_close_matches(str(name), known, 1)}
        else:
            others.append((each, mistake(each, place)))
    told = [sentence for each, sentence in others if each["type"] != "missing" or each["loc"] not in meant]
    return "; ".join([*unknown, *told])


def _keys(model: type[BaseModel], place: Iterable[str | int]) -> list[str]:
    """What a table at that place of a model may hold."""
    for part in place:
        if isinstance(part, str):
            model = next(_models_in(model.model_fields[part].annotation))
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type such as `tuple[Model, ...] | None` speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
