"""Notebooks as DVC and git may see them: without outputs, so that running one by hand changes nothing.

DVC hashes the file in the workspace, so a git filter is not enough: `python -m ocrkit.experiment.notebooks` cleans in
place.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbstripout import strip_output

from ocrkit.errors import OcrkitError
from ocrkit.experiment import paths
from ocrkit.files import write_whole

# What a run leaves besides outputs and counts. `kernelspec` must stay: without it the notebook is invalid.
EXTRA_KEYS = [
    "metadata.language_info",
    "metadata.papermill",
    "metadata.widgets",
    "metadata.vscode",
    "cell.metadata.execution",
    "cell.metadata.papermill",
    "cell.metadata.collapsed",
    "cell.metadata.scrolled",
]
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
    notebook = strip_output(notebook, keep_output=False, keep_count=False, keep_id=False, extra_keys=EXTRA_KEYS)
    notebook.metadata["kernelspec"] = KERNEL
    for cell in notebook.cells:
        if cell.metadata.get("tags") == []:  # papermill adds it to every cell
            del cell.metadata["tags"]
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


def clean_all() -> list[Path]:
    """Clean every notebook of the project; those that changed."""
    return [path for path in sorted((paths.root() / "notebooks").glob("*.ipynb")) if clean(path)]


if __name__ == "__main__":
    for changed in clean_all():
        print(f"Cleaned {changed.name}.")
