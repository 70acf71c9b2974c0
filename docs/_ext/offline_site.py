"""What the site needs besides Sphinx: the pipeline's notebooks as pages, and proof that no page loads from outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
from sphinx.application import Sphinx
from sphinx.errors import SphinxError

ROOT = Path(__file__).resolve().parents[2]

_NOT_RUN = """:::{note}
No outputs are shown, because this notebook has not run in this checkout since it last changed: `make repro`, then
`make docs`, shows what it prints and draws.
:::"""
_RUN = "*As it ran on {date}, as the stage `{stage}` of `make repro`.*"

# Attributes by which a page makes a browser fetch something; a link that waits for a click fetches nothing.
_FETCHING = {
    ("link", "href"),
    *((tag, "src") for tag in ("audio", "embed", "iframe", "img", "input", "script", "source", "track", "video")),
    *((tag, "srcset") for tag in ("img", "source")),
    ("object", "data"),
    ("video", "poster"),
    ("image", "href"),
    ("image", "xlink:href"),
    ("use", "href"),
}
_SHOWN_NOT_FETCHED = {"canonical", "next", "prev", "search", "index", "author", "copyright"}  # of <link rel=...>
_OUTSIDE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


def notebook_page(source: Path, executed: Path) -> nbformat.NotebookNode:
    """A notebook as its page shows it: as it ran, if what ran is what stands there today, or else without outputs.

    Args:
        source: the notebook in notebooks/.
        executed: what papermill left of it in reports/; it need not exist.
    """
    page = nbformat.read(source, as_version=4)
    note = _NOT_RUN
    if executed.is_file():
        ran = nbformat.read(executed, as_version=4)
        ran.cells = [cell for cell in ran.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
        if [cell.source for cell in ran.cells] == [cell.source for cell in page.cells]:
            page = ran
            ended = datetime.fromtimestamp(executed.stat().st_mtime, UTC)
            note = _RUN.format(date=f"{ended:%-d %B %Y}", stage=_stage(page))
    for cell in page.cells:
        cell.source = cell.source.replace("](../docs/", "](../")  # from docs/notebooks/ rather than from notebooks/
    for output in (output for cell in page.cells for output in cell.get("outputs", [])):
        shown = output.get("data", {}).get("text/html", "")
        if (
            shown.lstrip().lower().startswith(("<!doctype", "<html"))
        ):  # a page within the page keeps its style to itself
            output["data"]["text/html"] = f'<iframe class="whole-page" srcdoc="{escape(shown)}"></iframe>'
    page.cells.insert(1, nbformat.v4.new_markdown_cell(note))
    return page


def _stage(page: nbformat.NotebookNode) -> str:
    found = re.search(r"\*\*Stage:\*\*\s+`(\w+)`", page.cells[0].source)
    return found[1] if found else "?"


def write_notebook_pages(app: Sphinx) -> None:
    """Write docs/notebooks/*.ipynb, which git ignores; only what changed, which is all that Sphinx then reads again."""
    folder = Path(app.srcdir) / "notebooks"
    folder.mkdir(exist_ok=True)
    written = set()
    for source in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = nbformat.writes(notebook_page(source, ROOT / "reports" / source.name))
        page = folder / source.name
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
        written.add(page)
    for stale in set(folder.glob("*.ipynb")) - written:
        stale.unlink()


def _link_notebook_pages(app: Sphinx, name: str, content: list[str]) -> None:
    """Links to notebooks lead to their pages; on a code host they lead to the notebooks themselves."""
    content[0] = content[0].replace("](../notebooks/", "](notebooks/")


class _Fetches(HTMLParser):
    """Addresses outside that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes that make a browser fetch."""
        self.inside = tag
        relations = set((dict(attrs).get("rel") or "").split())
        for name, value in attrs:
            if not value:
                continue
            if name == "style":
                self.found += _IN_STYLE.findall(value)
            elif name == "srcdoc":
                self.found += fetched_from_outside(value)
            elif (tag, name) in _FETCHING and not (tag == "link" and relations & _SHOWN_NOT_FETCHED):
                parts = value.split(",") if name == "srcset" else [value]
                self.found += [part.strip() for part in parts if _OUTSIDE.match(part.strip())]

    def handle_data(self, data: str) -> None:
        """Look into style sheets, and for modules that a script imports."""
        if self.inside == "style":
            self.found += _IN_STYLE.findall(data)
        elif self.inside == "script":
            self.found += re.findall(r"""(?:import\s*\(?|from)\s*["']((?:https?:)?//[^"']+)""", data)


def fetched_from_outside(html: str) -> list[str]:
    """The addresses on other machines from which a browser that opens this page loads something."""
    parser = _Fetches()
    parser.feed(html)
    return parser.found


def outside_of(site: Path) -> Iterator[str]:
    """`file: address` for everything that a built site loads from other machines."""
    for page in sorted(site.rglob("*.html")):
        for address in fetched_from_outside(page.read_text(encoding="utf-8")):
            yield f"{page.relative_to(site)}: {address}"
    for sheet in sorted(site.rglob("*.css")):
        for address in _IN_STYLE.findall(sheet.read_text(encoding="utf-8")):
            yield f"{sheet.relative_to(site)}: {address}"


def _refuse_outside(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        found = list(outside_of(Path(app.outdir)))
        if found:
            raise SphinxError("The site must need no network, but it loads:\n" + "\n".join(found))


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx calls this."""
    app.connect("builder-inited", write_notebook_pages)
    app.connect("source-read", _link_notebook_pages)
    app.connect("build-finished", _refuse_outside)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
