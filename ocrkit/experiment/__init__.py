"""The glue around the steps: params.yaml, DVC, papermill, MLflow. It joins notebooks and stages; no floor imports it.

A notebook needs one call of it, or of `ocrkit.studies.start`, which knows the sections of this project:

    from ocrkit.experiment import start
    P, run = start("train", SECTIONS, overrides)
"""

from __future__ import annotations

import ast
import logging
import os
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ocrkit import strict
from ocrkit.quiet import QUIET

if TYPE_CHECKING:
    from ocrkit.experiment.params import Sections
    from ocrkit.experiment.track import Run

os.environ.update(QUIET)
# jsonschema, which every tool for notebooks imports, would compile a grammar of web addresses then, for 1.6 s of
# processor time; it does without where the package seems to be missing.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def start(stage: str, sections: Sections, overrides: Mapping[str, Any] | None = None) -> tuple[Any, Run]:
    """Begin a notebook: go to the project's root, read its values, open its MLflow run and show both.

    Args:
        stage: name of the stage, which is also its section of params.yaml.
        sections: the class of each section.
        overrides: values that replace those of params.yaml in this run; dotted names reach into nested options.

    Returns:
        The stage's validated, frozen options and its run.

    Raises:
        BadParams: params.yaml or `overrides` hold an unknown or ill-typed value, or dvc.yaml does not declare it.
    """
    from IPython.display import Pretty, display

    # MLflow's progress bars would have widgets; without them it says so at the head of every report.
    warnings.filterwarnings("ignore", "IProgress not found")
    # A kernel that ends drops a task of its own, and would print a traceback about it below the stage.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    from ocrkit.experiment import params, paths, track

    os.chdir(paths.root())
    _check_injected()
    options = params.params(stage, sections, overrides)
    if options.strict and not strict.is_on():  # a notebook that no runner started
        strict.take_up()
    run = track.start(stage, options, overridden=bool(overrides))
    values = {**params.shown(options), "run": f"{run.name} ({run.id})"}
    # Displayed rather than printed: what a notebook prints also goes to the terminal of the pipeline.
    display(Pretty("\n".join(f"{name:28} {value}" for name, value in values.items())))
    return options, run


def _check_injected() -> None:
    """papermill puts any parameter that it is given into the notebook, which would ignore all but `overrides`."""
    from IPython import get_ipython

    from ocrkit.errors import BadParams

    cells = get_ipython().user_ns.get("In", []) if get_ipython() else []
    for cell in cells:
        if cell.startswith("# Parameters\n"):
            names = [t.id for node in ast.parse(cell).body if isinstance(node, ast.Assign) for t in node.targets]  # type: ignore[attr-defined]
            if unknown := sorted(set(names) - {"overrides"}):
                raise BadParams(
                    f"This notebook knows no parameter {', '.join(unknown)}: a value of params.yaml is replaced by "
                    f"`overrides`, as in papermill -y '{{overrides: {{{unknown[0]}: ...}}}}'."
                )


__all__ = ["start"]
