"""What values an option may have: annotations that params.yaml is checked by.

They speak to pydantic, which checks configurations, without importing it: where words are drawn and nets are trained
there may be none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True)
class Within:
    """The range of a number; a bound that is `None` is none."""

    ge: float | None = None
    le: float | None = None
    gt: float | None = None
    lt: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """pydantic asks this of annotations; it knows bounds of numbers by the same names."""
        bounds = {name: bound for name, bound in vars(self).items() if bound is not None}
        return {**handler(source), **bounds}


Share = Annotated[float, Within(ge=0, le=1)]
Positive = Annotated[float, Within(gt=0)]
NotNegative = Annotated[float, Within(ge=0)]
Count = Annotated[int, Within(ge=1)]
Whole = Annotated[int, Within(ge=0)]
