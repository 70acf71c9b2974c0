"""A new notebook and its stage, ready to run: `python -m ocrkit.experiment.new_stage 70_mine`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ocrkit.errors import BadParams, OcrkitError
from ocrkit.experiment import deps, notebooks, paths, pipeline
from ocrkit.files import write_whole

_NAME = re.compile(r"(?:\d+_)?(?P<stage>[a-z][a-z0-9_]*)")
_TITLE = """# {title}

**Question:** what do you want to know? **Inputs:** what it reads. **Outputs:** what it makes. **Stage:** `{stage}`.
**Time:** seconds.

A file or folder that another stage made is listed among the `deps` of this stage in `dvc.yaml` and opened by
`run.use("data/synth/val")`; one that this stage makes is listed among its `outs` and written to `run.make("...")`. The
code that it imports is listed by `make deps`, or by `make repro` itself."""
_SETUP = """import pandas as pd

from ocrkit.studies import start

P, run = start("{stage}", overrides)"""
_WORK = """squares = pd.DataFrame({"number": range(P.numbers)})
squares["square"] = squares["number"] ** 2
run.log_table("squares", squares)
squares"""
_END = """run.describe(f"The sum of the first {P.numbers} squares.")
run.end({"sum": int(squares["square"].sum())})"""


def new_stage(name: str, root: Path) -> Path:
    """Make a notebook, its stage in dvc.yaml and its section in params.yaml with one value to begin with.

    Args:
        name: of the notebook, such as `70_mine`, or `mine`; without its number it names stage and section.
        root: of the project.

    Returns:
        The notebook.

    Raises:
        BadParams: no name, or one that is taken.
    """
    from dvc.utils.serialize import modify_yaml

    match = _NAME.fullmatch(name)
    if not match:
        raise BadParams(f"{name!r} is no name for a notebook: small letters, digits and `_`, such as 70_mine.")
    stage = match["stage"]
    notebook = root / "notebooks" / f"{name}.ipynb"
    declared, values = pipeline.read(root), pipeline.read(root, "params.yaml")
    if stage in (declared.get("stages") or {}) or stage in values or notebook.exists():
        raise BadParams(f"The name {stage} is taken: see dvc.yaml, params.yaml and notebooks/.")

    cells = [
        new_markdown_cell(_TITLE.format(title=stage.replace("_", " ").capitalize(), stage=stage)),
        new_code_cell("overrides = {}", metadata={"tags": ["parameters"]}),
        new_code_cell(_SETUP.format(stage=stage)),
        new_markdown_cell("## Work"),
        new_code_cell(_WORK),
        new_code_cell(_END),
    ]
    nbformat.write(new_notebook(cells=cells), notebook)
    notebooks.clean(notebook)
    made = pipeline.Stage(stage, name, "", (), (), (), frozen=False)
    entry: dict[str, Any] = {
        "cmd": f"{pipeline.RUNNER}{name}",
        "desc": "Say in a sentence what it finds",
        "deps": [made.source],
        "params": ["base", stage, f"profiles.${{base.profile}}.{stage}"],
        "outs": made.standard_outs,
    }
    with modify_yaml(root / "dvc.yaml") as whole:
        whole.setdefault("stages", {})[stage] = entry
        whole.setdefault("metrics", []).append(made.standard_outs[0])
    # A person finds the section where they look for it, before the profiles; YAML's writer would put it at the end.
    text = (root / "params.yaml").read_text("utf-8")
    before, profiles, after = re.split(r"(?m)^((?:#.*\n)*profiles:)", text, maxsplit=1)
    section = f"{stage}:\n  numbers: 10  # whose squares are added up\n\n"
    write_whole(root / "params.yaml", before + section + profiles + after)
    with modify_yaml(root / "params.yaml") as whole:
        for profile in whole["profiles"].values():
            profile[stage] = {}
    deps.update(root, stage)
    return notebook


@click.command()
@click.argument("name", default="")
def main(name: str) -> None:
    """Make the notebook NAME, such as 70_mine, and its stage."""
    try:
        notebook = new_stage(name, paths.root())
    except OcrkitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    stage = pipeline.stage_of(paths.root(), notebook.stem).name
    print(f"Made {notebook.relative_to(paths.root())}, the stage {stage} in dvc.yaml and its section in params.yaml.")
    print(f"Run it: dvc repro {stage}, or make repro for all.")


if __name__ == "__main__":
    main()
