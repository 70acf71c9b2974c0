"""The page that leads to every stage's report: what the stage does, what came of it, and a picture of that."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

from ocrkit.experiment import paths, pipeline
from ocrkit.html import render
from ocrkit.origin import made

_TEMPLATE = Path(__file__).with_name("index.html")
COVER = "cover"  # tag of the cell of a notebook whose picture stands for it; without one the first picture does
_WIDTH_PX = 1000
_INSIDE = re.compile(r"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=]+)")  # a picture in HTML


def index_page(root: Path) -> str:
    """The page of the stages that have run, in the order of the flow, to be written to `reports/index.html`.

    Args:
        root: of the project, or a scratch folder with `runs/` and `reports/` of runs by hand.
    """
    all_stages = pipeline.stages(paths.root()).values()
    stages = [_stage(root, stage) for stage in all_stages if (root / "runs" / f"{stage.name}.json").is_file()]
    known = {"index.html", *(f"{stage.notebook}.html" for stage in all_stages)}
    extra = {path.stem: path.name for path in sorted((root / "reports").glob("*.html")) if path.name not in known}
    facts = {"Stages": f"{len(stages)} of {len(all_stages)} have run", **made()}
    return render(_TEMPLATE, "Reports of the pipeline", facts, stages=stages, extra=extra)


def _stage(root: Path, stage: pipeline.Stage) -> dict[str, Any]:
    run = json.loads((root / "runs" / f"{stage.name}.json").read_text(encoding="utf-8"))
    executed, report = (root / "reports" / f"{stage.notebook}{suffix}" for suffix in (".ipynb", ".html"))
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"] if executed.is_file() else []
    ended, commit, machine = (run.get(fact, "") for fact in ("ended", "commit", "machine"))
    return {
        "name": stage.name,
        "title": _title(cells) or stage.notebook,
        "does": stage.about.rstrip("."),
        "says": [line for line in run.get("says", "").splitlines() if line.strip()],
        "facts": [*filter(None, [ended, commit and f"commit {commit}", machine]), f"MLflow run {run['name']}"],
        "report": report.name if report.is_file() else "",
        "numbers": f"../metrics/{stage.name}.json" if (root / "metrics" / f"{stage.name}.json").is_file() else "",
        "picture": _cover(cells),
    }


def _title(cells: list[dict[str, Any]]) -> str:
    """The first heading of a notebook."""
    lines = (line for cell in cells if cell["cell_type"] == "markdown" for line in _text(cell["source"]).splitlines())
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), "")


def _cover(cells: list[dict[str, Any]]) -> str:
    """The picture of the cell with the tag `COVER`, or else the first one, as an address; empty without any."""
    marked = [cell for cell in cells if COVER in cell.get("metadata", {}).get("tags", ())]
    for cell in [*marked, *cells]:
        for data in (output.get("data", {}) for output in cell.get("outputs", ())):
            inside = _INSIDE.search(_text(data.get("text/html", "")))
            if shown := _text(data.get("image/png", "")) or (inside and inside[1]):
                return _smaller(base64.b64decode(shown))
    return ""


def _smaller(png: bytes) -> str:
    """A picture in as many colours and pixels as an index needs, since it holds all of them."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.thumbnail((_WIDTH_PX, 2 * _WIDTH_PX))
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _text(source: str | list[str]) -> str:
    """Notebooks keep texts whole or by lines."""
    return source if isinstance(source, str) else "".join(source)
