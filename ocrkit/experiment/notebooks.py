"""Notebooks as DVC and git may see them: without outputs, so that running one by hand changes nothing.

DVC hashes files as they lie in the workspace, so a git filter would not help. Instead the pipeline's first stage,
`python -m ocrkit.experiment.notebooks data/notebooks`, writes what a person wrote of each notebook into that folder,
and the other stages depend on this. Without a folder notebooks are cleaned in place, for git.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
import nbformat
from nbstripout import strip_output

from ocrkit.errors import OcrkitError
from ocrkit.experiment import paths, pipeline
from ocrkit.files import make_folder, write_whole

# Editors write the name of their own environment here, which nobody else has.
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def cleaned(path: Path) -> str:
    """The text of a notebook without outputs, counts and traces of its run; the same whatever ran it.

    Raises:
        OcrkitError: it is not a notebook.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError) as error:
        raise OcrkitError(f"{path} cannot be read as a notebook: {str(error).splitlines()[0]}") from None
    notebook = strip_output(nbformat.v4.upgrade(notebook), keep_output=False, keep_count=False, keep_id=False)
    # All else that editors leave tells how a person looked at it; without `kernelspec` the notebook would be invalid.
    notebook.metadata = {"kernelspec": KERNEL}
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"


def is_clean(path: Path) -> bool:
    """Whether cleaning would change nothing."""
    return path.read_text(encoding="utf-8") == cleaned(path)


def clean(path: Path) -> bool:
    """Clean a notebook in place; whether that changed anything."""
    text = cleaned(path)
    if path.read_text(encoding="utf-8") == text:
        return False
    write_whole(path, text)
    return True


def write_sources(folder: Path) -> None:
    """Write the notebooks of all stages into `folder`, without outputs.

    Raises:
        OcrkitError: one is missing or no notebook.
    """
    root = paths.root()
    make_folder(folder)
    for stage in pipeline.stages(root).values():
        name = f"{stage.notebook}.ipynb"
        write_whole(folder / name, cleaned(root / "notebooks" / name))


def clean_all() -> list[Path]:
    """Clean every notebook of the project; those that changed."""
    return [path for path in sorted((paths.root() / "notebooks").glob("*.ipynb")) if clean(path)]


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def main(folder: Path | None) -> None:
    """Clean all notebooks in place, or write clean copies of those of the pipeline into FOLDER."""
    try:
        if folder:
            write_sources(folder)
        else:
            for changed in clean_all():
                print(f"Cleaned {changed.name}.")
    except OcrkitError as error:
        click.echo(error, err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
