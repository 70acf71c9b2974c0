"""What code a notebook depends on, by its imports; `python -m ocrkit.experiment.deps` writes it into dvc.yaml.

Listed are the folders and modules of the package that the notebook imports, itself or through others, also where a
function imports them, a table called LAZY names them, or they stand under the names of plug-ins that are looked up.
Left out is what starts, draws and records (`APART`): it decides no number, and a changed colour must not train a net
anew.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import click
import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from ocrkit.errors import BadParams, OcrkitError
from ocrkit.experiment import paths, pipeline
from ocrkit.plugins import own_points

PACKAGE = "ocrkit"
OFFERS = f"{PACKAGE}/entry_points.ini"  # which module stands under which name of a plug-in
APART = ("ocrkit.experiment", "ocrkit.html", "ocrkit.origin", "ocrkit.studies")
# Of the studies only these; any other decides the numbers of a stage that imports it.
_APART_STUDIES = ("figures", "registry", "sections", "served")


def code_deps(root: Path, notebook: Path) -> list[str]:
    """The parts of the package that decide what a notebook finds: modules at the top first, then folders.

    Args:
        root: of the project, which holds the package.
        notebook: its file.

    Returns:
        Paths relative to `root`, such as `ocrkit/metrics.py` and `ocrkit/synth`.

    Raises:
        OcrkitError: the notebook, or a module, cannot be read or parsed.
    """
    modules = _modules(root)
    found: set[str] = set()
    code = _code_of(notebook)
    todo = [*_imported(code, modules), *_used_lazily(root, code)]
    while todo:
        name = todo.pop()
        if name not in found and not _apart(name):
            found.add(name)
            # The packages that hold a module run before it.
            parents = (name.rsplit(".", cut)[0] for cut in range(1, name.count(".") + 1))
            text = modules[name].read_text("utf-8")
            todo += [*imports(root, name), *_used_lazily(root, text), *_offered(root, text), *parents]
    parts = {_part(root, modules[name]) for name in found - {PACKAGE}}
    if f"{PACKAGE}.plugins" in found:
        parts.add(OFFERS)
    return sorted(parts, key=lambda part: (not part.endswith(".py"), part))


def imports(root: Path, module: str) -> set[str]:
    """The modules of the package that `module` imports, anywhere in it but for the type checker alone."""
    modules = _modules(root)
    return _imported(modules[module].read_text("utf-8"), modules) - {module}


def modules(root: Path) -> list[str]:
    """All modules of the package by name."""
    return sorted(_modules(root))


def check(root: Path, stage: pipeline.Stage) -> None:
    """Refuse a stage whose code may change without DVC noticing.

    Raises:
        BadParams: it imports what dvc.yaml does not list among its deps.
    """
    if not (root / PACKAGE).is_dir():  # a project of somebody else's, with the package installed
        return
    if missing := [dep for dep in code_deps(root, root / stage.source) if not stage.reads(dep)]:
        raise BadParams(
            f"{stage.notebook}.ipynb imports {', '.join(missing)}, which dvc.yaml does not list among the deps of "
            f"{stage.name}: run `make deps`."
        )


def update(root: Path, only: str = "") -> list[str]:
    """Bring the code among the deps of all stages in dvc.yaml, or of one, up to date.

    Returns:
        The stages whose deps have changed.

    Raises:
        OcrkitError: a notebook or module cannot be read.
    """
    wanted = {}
    for name, stage in pipeline.stages(root).items():
        if only not in ("", name):
            continue
        code = code_deps(root, root / "notebooks" / f"{stage.notebook}.ipynb")
        wanted[name] = [stage.source, *code, *(dep for dep in stage.deps if not _is_code(dep))]
        if wanted[name] == list(stage.deps):
            del wanted[name]
    if wanted:
        from dvc.utils.serialize import modify_yaml

        with modify_yaml(root / "dvc.yaml") as whole:
            for name, deps in wanted.items():
                whole["stages"][name]["deps"] = deps
    return list(wanted)


def _is_code(dep: str) -> bool:
    return dep.startswith((f"{PACKAGE}/", "notebooks/", f"{pipeline.SOURCES}/"))


def _apart(module: str) -> bool:
    """Whether it starts, draws or records."""
    study = module.removeprefix(f"{PACKAGE}.studies.")
    return study.split(".")[0] in _APART_STUDIES if study != module else module.startswith(APART)


def _part(root: Path, file: Path) -> str:
    """A module's folder below the package, or the module itself where it lies at the top or is a study."""
    top, *inner = file.relative_to(root / PACKAGE).parts
    whole = not inner or top == "studies"
    return (file.relative_to(root) if whole else Path(PACKAGE, top)).as_posix()


@cache
def _modules(root: Path) -> dict[str, Path]:
    """All modules of the package by name."""
    named = {}
    for file in (root / PACKAGE).rglob("*.py"):
        parts = file.relative_to(root).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return named


def _imported(text: str, known: Mapping[str, Path]) -> set[str]:
    found: set[str] = set()
    for node in _running(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return found & set(known)


def _used_lazily(root: Path, text: str) -> set[str]:
    """The modules behind names in tables called LAZY, such as `ocrkit.Reader`, which are imported when first used."""
    tree = ast.parse(text)
    if _lazy_table(tree):  # it says where they lie, and uses none
        return set()
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {a.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names}
    return {module for name, module in _lazy(root).items() if name in used}


@cache
def _lazy(root: Path) -> dict[str, str]:
    tables = [_lazy_table(ast.parse(file.read_text("utf-8"))) for file in _modules(root).values()]
    return {name: module for table in tables for name, module in table.items()}


def _offered(root: Path, text: str) -> set[str]:
    """The modules behind the package's own engines, forms or runtimes, where `text` looks them up by name."""
    kinds = [
        str(node.args[0].value)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Plugins" and isinstance(node.args[0], ast.Constant)
    ]
    return {point.module for kind in kinds for point in own_points(f"{PACKAGE}.{kind}s", root / OFFERS)}


def _lazy_table(tree: ast.Module) -> dict[str, str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAZY":
            return dict(ast.literal_eval(node.value))
    return {}


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker sees."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo += node.orelse
        else:
            todo += ast.iter_child_nodes(node)


def _code_of(notebook: Path) -> str:
    from ocrkit.experiment.notebooks import cleaned

    cells = nbformat.reads(cleaned(notebook), as_version=4).cells
    code = TransformerManager().transform_cell("\n".join(cell.source for cell in cells if cell.cell_type == "code"))
    try:
        ast.parse(code)
    except SyntaxError as error:
        raise OcrkitError(f"{notebook.name} has a cell that is no Python: {error.msg}.") from None
    return code


@click.command()
def main() -> None:
    """Bring the deps of all stages in dvc.yaml up to date."""
    try:
        changed = update(paths.root())
    except OcrkitError as error:
        click.echo(error, err=True)
        sys.exit(1)
    print(f"dvc.yaml: new deps of {', '.join(changed)}." if changed else "dvc.yaml is up to date.")


if __name__ == "__main__":
    main()
