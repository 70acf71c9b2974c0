"""Engines, forms of data sets and runtimes by name: ocrkit's own and those that other packages add.

All come through one door, Python's entry points: a package that lists something under `ocrkit.engines`, `ocrkit.forms`
or `ocrkit.runtimes` has it found by its name as soon as the package is installed. ocrkit's own stand in
`entry_points.ini` beside this file, in the same form. See docs/plug-ins.md.
"""

from __future__ import annotations

import configparser
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import Distribution, EntryPoint, distributions
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

from ocrkit.errors import BadPlugin, OcrkitError

_OWN = "ocrkit"
_OWN_FILE = Path(__file__).with_name("entry_points.ini")
_log = logging.getLogger(__name__)


class Plugins(Mapping[str, Any]):
    """Everything of one kind by its name, ocrkit's own first; imported only when it is looked up.

    What is installed is looked at once, when it is first needed. A name of ocrkit's stays ocrkit's: another package's
    offer of it is left out with a warning. A name that two other packages offer is refused when it is looked up.

    Args:
        kind: "engine", "form" or "runtime"; the group of entry points is `ocrkit.<kind>s`.
        methods: that each one must have.
    """

    def __init__(self, kind: str, methods: tuple[str, ...] = ()) -> None:
        self.kind, self.group, self._methods = kind, f"{_OWN}.{kind}s", methods

    def __iter__(self) -> Iterator[str]:
        return iter(self._offers)

    def __len__(self) -> int:
        return len(self._offers)

    def __contains__(self, name: object) -> bool:
        return name in self._offers  # without loading it, as Mapping would

    def __getitem__(self, name: str) -> Any:
        """What stands under `name`, imported.

        Raises:
            KeyError: nothing does.
            BadPlugin: two packages offer it, or it cannot be imported or lacks a method.
        """
        packages = list(self._offers[name])
        if len(packages) > 1:
            raise BadPlugin(
                f"The packages {' and '.join(packages)} all offer a {self.kind} {name!r}: keep only one of them."
            )
        with self.blaming(name):
            found = self._offers[name][packages[0]].load()
        if not callable(found):
            raise BadPlugin(f"{self._offered(name)} cannot be used: it is no class or function.")
        if lacking := [method for method in self._methods if not callable(getattr(found, method, None))]:
            raise BadPlugin(f"{self._offered(name)} cannot be used: it has no method {lacking[0]}.")
        return found

    @contextmanager
    def blaming(self, name: str) -> Iterator[None]:
        """Around code of `name`: what another package's raises unexpectedly becomes a sentence that names the package.

        ocrkit's own mistakes stay what they are, to be mended.

        Raises:
            BadPlugin: it failed with something that is no `OcrkitError`.
        """
        try:
            yield
        except OcrkitError:
            raise
        except (Exception, SystemExit) as error:
            if _OWN in self._offers[name]:
                raise
            reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
            raise BadPlugin(f"{self._offered(name)} cannot be used: {reason}.") from error

    @cached_property
    def _offers(self) -> dict[str, dict[str, EntryPoint]]:
        """Name -> package -> its entry point."""
        offers = {point.name: {_OWN: point} for point in own_points(self.group)}
        for package, point in _other_points(self.group):
            if _OWN in offers.get(point.name, ()):
                own = f"The {self.kind} {point.name!r} is ocrkit's own"
                _warn(f"{own}: the one that the package {package} offers is left out.")
            else:
                offers.setdefault(point.name, {})[package] = point
        return offers

    def _offered(self, name: str) -> str:
        return f"The {self.kind} {name!r} of the package {' and '.join(self._offers[name])}"


def own_points(group: str, file: Path = _OWN_FILE) -> list[EntryPoint]:
    """What ocrkit itself offers in a group of entry points, as `file` lists it."""
    # Not from the metadata of what is installed: those of an older ocrkit may lie beside the code that runs.
    parser = configparser.ConfigParser(delimiters="=", comment_prefixes="#", interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    parser.read_string(file.read_text(encoding="utf-8"))
    return [EntryPoint(name, value, group) for name, value in parser[group].items()]


def _other_points(group: str) -> Iterator[tuple[str, EntryPoint]]:
    """The entry points of all other packages, each with its package, of which the first on the path counts."""
    seen = {_OWN}
    for distribution in distributions():
        # Whoever is not concerned is not looked at further: their metadata take long to parse, and may be broken.
        if group not in (distribution.read_text("entry_points.txt") or ""):
            continue
        package = _name(distribution)
        if (normal := re.sub(r"[-_.]+", "-", package).lower()) in seen:
            continue
        seen.add(normal)
        try:
            yield from ((package, point) for point in distribution.entry_points if point.group == group)
        except (TypeError, ValueError) as error:
            _warn(f"The package {package} adds nothing to ocrkit: its entry points cannot be read ({error}).")


def _warn(sentence: str) -> None:
    if parent_process() is None:  # each engine's own process would say it again
        _log.warning("%s", sentence)


def _name(distribution: Distribution) -> str:
    try:
        return distribution.metadata["Name"] or "without a name"
    except (TypeError, KeyError, OSError):  # no metadata beside its entry points
        return "without a name"
