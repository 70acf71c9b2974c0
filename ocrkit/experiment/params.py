"""The values of an experiment: params.yaml, its profiles and overrides, checked strictly before anything runs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ocrkit.errors import BadParams, quoted
from ocrkit.experiment import paths, pipeline
from ocrkit.options import mistake, near

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Base:
    """What all stages share; the class of every section inherits it.

    Attributes:
        seed: start of every random choice.
        profile: which sizes.
        strict: the same results on every processor with AVX2; see `ocrkit.strict`.
    """

    seed: int
    profile: str
    strict: bool = True

    def options(self, step: type[T], **worked_out: Any) -> T:
        """The part of these values that the options `step` of a step know, completed by what a notebook worked out."""
        known = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(step)  # type: ignore[arg-type]
            if hasattr(self, field.name)
        }
        return step(**{**known, **worked_out})


# The class of each section of params.yaml: what it may hold.
Sections = Mapping[str, type[Base]]


def params(
    section: str, sections: Sections, overrides: Mapping[str, Any] | None = None, root: Path | None = None
) -> Any:
    """The values of one stage.

    Later ones win: the sections `base` and `section`, then those of the profile that `base.profile` names, then
    `overrides`. In the pipeline, dvc.yaml must declare what is read, or DVC would skip stages wrongly.

    Args:
        section: name of the stage.
        sections: the class of each section; one without a class has what params.yaml gives it, of the same types.
        overrides: values by name; `seed` and `profile` reach `base`, dotted names reach into nested options.
        root: the project; by default the one around the current folder.

    Returns:
        A frozen instance of the section's class, `seed` and `profile` in it.

    Raises:
        BadParams: an unknown section, profile or value, a wrong type, or a value that dvc.yaml does not declare.
    """
    root = root or paths.root()
    values = read(root, sections)
    _check_names("params.yaml", {section: {}}, [*values])
    base, own = resolve(values, section, overrides)
    if stage := paths.in_pipeline():
        if overrides:
            raise BadParams(f"In the pipeline all values come from params.yaml: run {stage} without overrides.")
        _check_declared(root, stage, section, base["profile"])
    return _validated(base, own, section, sections.get(section) or _class_of(section, values))


def check_all(sections: Sections, root: Path | None = None) -> None:
    """Validate every section in every profile of params.yaml.

    Raises:
        BadParams: the first mistake found.
    """
    values = read(root or paths.root(), sections)
    for overrides in ({}, *({"profile": profile} for profile in values["profiles"])):
        for section in values.keys() - {"base", "profiles"}:
            options = sections.get(section) or _class_of(section, values)
            _validated(*resolve(values, section, overrides), section, options)


def read(root: Path, sections: Iterable[str]) -> dict[str, Any]:
    """params.yaml as it stands.

    Raises:
        BadParams: it is missing, not YAML, holds what no option can be, or has a section that is neither among
            `sections` nor a stage of dvc.yaml, or lacks one of them.
    """
    values = pipeline.read(root, "params.yaml")
    known = list(dict.fromkeys([*pipeline.stages(root), *sections]))
    _check_names("params.yaml", values, ["base", *known, "profiles"])
    for name in ("base", *known, "profiles"):
        _check_plain(name, _table(name, values.get(name)))
    for name, profile in values["profiles"].items():
        _check_names(f"profiles.{name}", profile, known)
    return values


def strict(root: Path, overrides: Mapping[str, Any] | None = None) -> bool:
    """Whether params.yaml asks for strict mode; asked before the libraries are loaded, and all else is checked."""
    base = _table("base", pipeline.read(root, "params.yaml").get("base"))
    return {"strict": Base.strict, **base, **(overrides or {})}["strict"] is True


def resolve(
    values: Mapping[str, Any], section: str, overrides: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of `base` and those of `section`, profile and overrides merged in.

    Raises:
        BadParams: an unknown profile.
    """
    given = _nested(overrides or {})
    base = dict(_table("base", values.get("base")))
    base |= {name: given.pop(name) for name in list(given) if name in base}
    profiles, chosen = values["profiles"], base.get("profile")
    if not isinstance(chosen, str) or chosen not in profiles:
        raise BadParams(f"params.yaml: base.profile is {quoted(chosen)}, but there are {_listed(profiles)}.")
    profile = _table(f"profiles.{chosen}.{section}", profiles[chosen].get(section, {}))
    return base, _merge(_merge(_table(section, values.get(section)), profile), given)


def validate(options: type[T], values: Mapping[str, Any], where: str) -> T:
    """`values` as an instance of a dataclass; nothing is converted, nothing unknown passes.

    Args:
        options: the dataclass, nested ones allowed; its annotations are the only declaration there is.
        values: numbers, texts, lists and tables as YAML gives them.
        where: what to call the values in the error, such as `train`.

    Raises:
        BadParams: one sentence that names the value and what it should be.
    """
    _check_plain(where, values)
    _check_names(where, values, [f.name for f in dataclasses.fields(options)])  # type: ignore[arg-type]
    try:
        # From JSON, since strictness about lists and tuples would make no sense for YAML.
        return TypeAdapter(options).validate_json(json.dumps(values), strict=True, extra="forbid")
    except ValidationError as error:
        first = error.errors()[0]
    name = ".".join([where, *map(str, first["loc"])])
    if first["type"] == "unexpected_keyword_argument":
        raise BadParams(f"params.yaml: there is no value {name}.")
    raise BadParams(f"params.yaml: {mistake(first, name)}.")


def flatten(options: Any) -> dict[str, Any]:
    """Every value of a dataclass by its dotted name; lists stay whole."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if dataclasses.is_dataclass(value):
            flat |= {f"{field.name}.{name}": v for name, v in flatten(value).items()}
        else:
            flat[field.name] = value
    return flat


def shown(options: Any) -> dict[str, Any]:
    """The values worth showing: a stage's own, and of the options of its steps those that are not at their defaults."""
    flat: dict[str, Any] = {}
    at_default = 0
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if not dataclasses.is_dataclass(value):
            flat[field.name] = value
            continue
        options_of_step: Any = type(value)
        defaults, values = flatten(options_of_step()), flatten(value)
        changed = {name: v for name, v in values.items() if v != defaults.get(name)}
        at_default += len(values) - len(changed)
        flat |= {f"{field.name}.{name}": v for name, v in changed.items()}
    return flat | ({"at their defaults": f"{at_default} other values"} if at_default else {})


def _class_of(section: str, values: Mapping[str, Any]) -> type[Base]:
    """The class of a section that has none: its values as params.yaml has them, before any profile, give the types."""
    return _made_class(section, _table(section, values.get(section)), (Base,))


def _made_class(name: str, values: Mapping[str, Any], bases: tuple[type, ...] = ()) -> Any:
    if unfit := [key for key in values if not key.isidentifier()]:
        raise BadParams(f"params.yaml: {name}.{unfit[0]} must be named by letters, digits and `_` only.")
    fields = [
        (key, _type_of(f"{name}.{key}", value)) for key, value in values.items() if key not in ("seed", "profile")
    ]
    return dataclasses.make_dataclass(name.replace(".", "_"), fields, bases=bases, frozen=True, kw_only=True)


def _type_of(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _made_class(name, value)
    if isinstance(value, list):
        kinds = {type(item) for item in value}
        same = len(kinds) == 1 and kinds <= {str, bool, int, float}
        return tuple[kinds.pop() if same else Any, ...]  # type: ignore[misc]
    return Any if value is None else type(value)


def _check_plain(name: str, value: Any, around: tuple[int, ...] = ()) -> None:
    """Refuse what YAML can say and no option can be, so that nobody has to reckon with it."""
    if id(value) in around:
        raise BadParams(f"params.yaml: {name} holds itself.")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise BadParams(
                    f"params.yaml: {name} has the name {quoted(key)}, which must be a text: put it in quotes."
                )
            _check_plain(f"{name}.{key}", item, (*around, id(value)))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check_plain(f"{name}.{number}", item, (*around, id(value)))
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadParams(f"params.yaml: {name} must be a finite number, not {value}.")
    elif isinstance(value, date):
        raise BadParams(f"params.yaml: {name} is read as a date, {value}: put it in quotes if it is a text.")
    elif isinstance(value, str) and not _is_text(value):
        raise BadParams(f"params.yaml: {name} holds half a character: {quoted(value)}.")
    elif not isinstance(value, str | int | float | None):
        raise BadParams(f"params.yaml: {name} is a {type(value).__name__}, which no value can be.")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _validated(base: Mapping[str, Any], own: Mapping[str, Any], section: str, options: type[Base]) -> Any:
    validate(Base, base, "base")
    for name in own:
        if name in base:
            raise BadParams(f"params.yaml: {name} belongs to base, not to {section}.")
    names = [f.name for f in dataclasses.fields(options) if f.name not in base]
    _check_names(section, own, names)
    return validate(options, {**base, **own}, section)


def _check_declared(root: Path, stage: str, section: str, profile: str) -> None:
    stages = pipeline.stages(root)
    if stage not in stages:
        raise BadParams(f"dvc.yaml has no stage {stage!r}; it has {_listed(stages)}.")
    declared = {name.replace("${base.profile}", profile) for name in stages[stage].params}
    for name in ("base", section, f"profiles.{profile}.{section}"):
        parents = {name.rsplit(".", cut)[0] for cut in range(name.count(".") + 1)}
        if not declared & parents:
            raise BadParams(f"Stage {stage} reads {name} of params.yaml, but dvc.yaml does not declare that.")


def _table(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadParams(f"params.yaml: {name} must be a table of names and values, not {quoted(value)}.")
    return value


def _check_names(where: str, values: Any, known: Iterable[str]) -> None:
    known = list(known)
    for name in _table(where, values):
        if name not in known:
            hint = near(str(name), known)
            raise BadParams(f"{where} knows no {quoted(name)}: {hint}{'' if hint.endswith('?') else '.'}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(str, names))


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """`high` laid over `low`: tables are merged, all else is replaced."""
    merged = dict(low)
    for name, value in high.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = _merge(merged[name], value) if both else value
    return merged


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a.b": 1}` as `{"a": {"b": 1}}`."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *outer, last = name.split(".")
        table = {last: value}
        for part in reversed(outer):
            table = {part: table}
        nested = _merge(nested, table)
    return nested
