"""The pipeline as dvc.yaml states it: which stage runs which notebook, what it needs and what it makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError

from ocrkit.errors import BadParams

RUNNER = "python -m ocrkit.experiment.run "
# Where the first stage puts the notebooks without outputs; the others depend on these, so that a notebook that was
# opened and run by hand is the same to them.
SOURCES = "data/notebooks"


@dataclass(frozen=True)
class Stage:
    """A stage that runs a notebook; paths are relative to the project's root.

    Attributes:
        name: of the stage, and of its section of params.yaml.
        notebook: such as `30_train`.
        about: one sentence.
        deps: what it reads.
        outs: what it makes.
        params: names of values of params.yaml that it depends on.
        frozen: its results are kept and only made anew when it is asked for by name.
    """

    name: str
    notebook: str
    about: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    params: tuple[str, ...]
    frozen: bool

    def __str__(self) -> str:
        return self.name

    @property
    def source(self) -> str:
        """The notebook without outputs."""
        return f"{SOURCES}/{self.notebook}.ipynb"

    @property
    def standard_outs(self) -> list[str]:
        """What the runner writes for every stage: its numbers, the id of its run, the executed notebook, its HTML."""
        report = f"reports/{self.notebook}"
        return [f"metrics/{self.name}.json", f"runs/{self.name}.json", f"{report}.ipynb", f"{report}.html"]

    def reads(self, path: str) -> bool:
        """Whether dvc.yaml says that it depends on `path` or a folder around it."""
        return any(path == dep or path.startswith(f"{dep}/") for dep in self.deps)


def stages(root: Path) -> dict[str, Stage]:
    """The stages that run notebooks, by name, in the order of dvc.yaml.

    Raises:
        BadParams: dvc.yaml is missing or not YAML, or its stages are not written as DVC wants them.
    """
    declared = read(root).get("stages") or {}
    try:
        return {
            name: Stage(
                name=name,
                notebook=Path(stage["cmd"].removeprefix(RUNNER)).stem,
                about=stage.get("desc", ""),
                deps=tuple(_names(stage.get("deps"))),
                outs=tuple(_names(stage.get("outs"))),
                params=tuple(_names(stage.get("params"))),
                frozen=bool(stage.get("frozen")),
            )
            for name, stage in declared.items()
            if str(stage.get("cmd")).startswith(RUNNER)
        }
    except (AttributeError, KeyError, TypeError):
        raise BadParams("The stages of dvc.yaml are not written as DVC wants them: run `dvc status`.") from None


def stage_of(root: Path, notebook: str) -> Stage:
    """The stage of a notebook, given as `30_train` or as a path to it.

    Raises:
        BadParams: no stage has that notebook.
    """
    known = stages(root)
    for stage in known.values():
        if stage.notebook == Path(notebook).stem:
            return stage
    listed = ", ".join(stage.notebook for stage in known.values())
    raise BadParams(f"No stage of dvc.yaml runs the notebook {notebook!r}; there are {listed}.")


def maker(root: Path, path: str) -> str:
    """The stage that makes `path`; empty where none does."""
    return next((stage.name for stage in stages(root).values() if path in stage.outs), "")


def read(root: Path, name: str = "dvc.yaml") -> dict[str, Any]:
    """dvc.yaml, or another YAML file of the project, as it stands.

    Raises:
        BadParams: it is missing, not YAML, or no table.
    """
    try:
        return dict(parsed((root / name).read_text(encoding="utf-8"), name) or {})
    except FileNotFoundError:
        raise BadParams(f"There is no {name} in {root}.") from None
    except (OSError, ValueError, TypeError) as error:
        raise BadParams(f"{name} cannot be read: {' '.join(str(error).split())}") from None


def parsed(text: str, what: str) -> Any:
    """The value that YAML states.

    Raises:
        BadParams: it is not YAML, or nested beyond reason; the sentence begins with `what`.
    """
    try:
        return YAML(typ="safe").load(text)
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        raise BadParams(f"{what} cannot be read: {' '.join(str(error).split())}") from None


def _names(entries: Iterable[Any] | None) -> list[str]:
    """Paths or params of a stage, which DVC takes as `name`, as `name: {cache: false}` or as `file: [name]`."""
    names: list[str] = []
    for entry in entries or ():
        if isinstance(entry, str):
            names.append(entry)
        else:
            for name, detail in entry.items():
                names += detail if isinstance(detail, list) else [name]
    return names
