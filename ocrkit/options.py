"""Classes of options: frozen data classes that refuse unknown names and wrong types.

The fields' defaults are those of the step that the options belong to. What `params.yaml` says is checked by the same
classes as what code says.
"""

from __future__ import annotations

import dataclasses
from typing import TypeVar, cast, dataclass_transform

import pydantic.dataclasses

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def options_class(cls: type[T]) -> type[T]:
    """A frozen pydantic data class without extra fields; a wrong value raises `pydantic.ValidationError`."""
    make = pydantic.dataclasses.dataclass(frozen=True, config=pydantic.ConfigDict(extra="forbid"))
    return cast(type[T], make(cls))
