"""Reports, and the page that leads to them: what each stage does, what came of it, a picture, where it comes from."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from ocrkit.experiment import pipeline
from ocrkit.experiment.index import index_page
from ocrkit.experiment.run import to_html

REPO = Path(__file__).resolve().parents[2]
STAGES = pipeline.stages(REPO)


def png(colour: tuple[int, int, int], width: int = 40) -> str:
    file = io.BytesIO()
    Image.new("RGB", (width, 30), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def drawing(colour: tuple[int, int, int], *tags: str, width: int = 40):
    output = new_output("display_data", {"image/png": png(colour, width)})
    return new_code_cell("draw()", outputs=[output], metadata={"tags": list(tags)})


def in_html(colour: tuple[int, int, int]):
    """A chosen cell that shows an object with a picture in its HTML, as documents show themselves."""
    html = f"<table><tr><td><img src='data:image/png;base64,{png(colour)}'></td></tr></table>"
    output = new_output("execute_result", {"text/html": html, "text/plain": "..."})
    return new_code_cell("document", outputs=[output], metadata={"tags": ["cover"]})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of which two stages have run, one of them without a picture."""
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(REPO / name, tmp_path)
    for folder in ("runs", "reports", "metrics"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    about = {"ended": "4 May 2026, 09:30 UTC", "commit": "0123456789, changed since", "machine": "a processor, 2 cores"}
    for stage, says in {"start": "It read 43 of the 47 words.\nAll <b>well</b>.", "train": ""}.items():
        run = {"run_id": "r", "name": f"{stage} 04 May", "says": says, **about}
        (tmp_path / "runs" / f"{stage}.json").write_text(json.dumps(run))
        (tmp_path / "reports" / f"{STAGES[stage].notebook}.html").touch()
    (tmp_path / "metrics" / "start.json").write_text('{"word_accuracy": 0.123456}')
    (tmp_path / "reports" / "leaderboard.html").touch()
    return tmp_path


def execute(root: Path, stage: str, *cells) -> None:
    notebook = new_notebook(cells=[new_markdown_cell("# Start <here>\n\nText."), *cells])
    nbformat.write(notebook, root / "reports" / f"{STAGES[stage].notebook}.ipynb")


def pictures(page: str) -> list[Image.Image]:
    data = re.findall(r'src="data:image/webp;base64,([^"]+)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in data]


def test_a_stage_is_told_in_sentences_with_a_link_to_its_report_and_no_rows_of_numbers(root: Path) -> None:
    execute(root, "start", drawing((255, 0, 0)))
    page = index_page(root)
    start, train = re.findall(r'<section class="stage" id="(?:start|train)">.*?</section>', page, re.DOTALL)
    assert '<h2><a href="00_start_here.html">Start &lt;here&gt;</a></h2>' in start
    assert "<p>It read 43 of the 47 words.</p>" in start
    assert "<p>All &lt;b&gt;well&lt;/b&gt;.</p>" in start
    assert "4 May 2026, 09:30 UTC · commit 0123456789, changed since · a processor, 2 cores" in start
    assert '<a href="../metrics/start.json">numbers</a>' in start
    assert "0.123" not in page
    assert '<h2><a href="30_train.html">30_train</a></h2>' in train  # its notebook was not kept
    assert "../metrics" not in train
    assert '<a href="leaderboard.html">leaderboard</a>' in page
    assert f"2 of {len(STAGES)} have run" in page


def test_every_link_leads_somewhere(root: Path) -> None:
    links = re.findall(r'href="([^"]+)"', index_page(root))
    assert links
    assert all((root / "reports" / link).is_file() for link in links)


@pytest.mark.parametrize(
    ("cells", "colour"),
    [
        ([drawing((255, 0, 0)), drawing((0, 0, 255))], (255, 0, 0)),  # the first
        ([drawing((255, 0, 0)), drawing((0, 0, 255), "cover")], (0, 0, 255)),  # the one chosen
        ([drawing((255, 0, 0)), new_code_cell("1", metadata={"tags": ["cover"]})], (255, 0, 0)),  # chosen, not drawn
        ([drawing((255, 0, 0)), in_html((0, 0, 255))], (0, 0, 255)),
        ([new_code_cell("1", outputs=[new_output("stream", text="x")])], None),
    ],
    ids=["first", "chosen", "chosen without a picture", "chosen in HTML", "none"],
)
def test_the_picture_of_a_stage_is_the_chosen_one_or_the_first(root: Path, cells, colour) -> None:
    execute(root, "start", *cells)
    found = pictures(index_page(root))
    if colour is None:
        assert found == []
    else:
        (picture,) = found
        assert all(abs(a - b) < 12 for a, b in zip(picture.convert("RGB").getpixel((20, 15)), colour))


def test_a_large_picture_is_made_smaller(root: Path) -> None:
    execute(root, "start", drawing((9, 9, 9), width=3000))
    assert pictures(index_page(root))[0].size == (1000, 10)


def test_before_any_stage_has_run_it_says_what_to_do(root: Path) -> None:
    shutil.rmtree(root / "runs")
    assert "make repro" in index_page(root)


def test_no_notebook_chooses_more_than_one_picture() -> None:
    for notebook in (REPO / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(notebook, as_version=4).cells
        chosen = [cell for cell in cells if "cover" in cell.metadata.get("tags", [])]
        assert [cell.cell_type for cell in chosen] in ([], ["code"]), notebook.name


def test_the_report_of_a_notebook_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    cells = [new_markdown_cell("# Report\n\n![](data:image/png;base64,AA==)"), drawing((9, 9, 9))]
    nbformat.write(new_notebook(cells=cells), tmp_path / "report.ipynb")
    page = to_html(tmp_path / "report.ipynb")
    assert "<h1" in page
    assert page.count("<img") == 2
    assert not re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["']?(?!data:|["'])""", page)
    assert "import(" not in page
