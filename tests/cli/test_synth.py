from __future__ import annotations

import csv
import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.cli.synth import SWITCHES
from ocrkit.datasets.forms import load_pages
from ocrkit.datasets.sample import Sample
from ocrkit.datasets.shards import digests, read_shards
from ocrkit.synth.engine import Recipe, write_words
from ocrkit.synth.fonts import FontOptions, load_verdicts, save_verdicts
from ocrkit.synth.generator import WordOptions
from ocrkit.synth.preview import contact_sheet


@pytest.fixture
def fonts(verdicts, tmp_path) -> Path:
    """A folder of a few fonts."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    for verdict in verdicts:
        (folder / Path(verdict.path).name).symlink_to(verdict.path)
    return folder


@pytest.fixture
def inputs(vocabulary, verdicts, fonts, tmp_path) -> list[str]:
    vocabulary.save(tmp_path / "vocabulary.json")
    save_verdicts(verdicts, tmp_path / "audit.json")
    return [
        "--vocabulary",
        f"{tmp_path}/vocabulary.json",
        "--verdicts",
        f"{tmp_path}/audit.json",
        "--fonts",
        f"{fonts}",
    ]


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["synth", *map(str, arguments)])
    return done.exit_code, done.output


@pytest.mark.parametrize("name", ["sheet.png", "sheet.JPG"])
def test_preview_writes_a_sheet_of_words(name, inputs, tmp_path):
    status, said = run("preview", *inputs, "-o", tmp_path / name, "--rows", 2)
    assert (status, "12 words of" in said) == (0, True)
    sheet = cv2.imread(str(tmp_path / name), cv2.IMREAD_GRAYSCALE)
    assert sheet.shape[1] > sheet.shape[0] > 60
    assert sheet.min() < 60


def sheet(tmp_path: Path, *arguments: object) -> bytes:
    status, said = run("preview", *arguments, "-o", tmp_path / "sheet.png", "--rows", 4)
    assert status == 0, said
    return (tmp_path / "sheet.png").read_bytes()


def test_preview_shows_one_distortion_or_font_class_at_a_time(inputs, tmp_path):
    sheets = [
        sheet(tmp_path, *inputs, *more)
        for more in ((), ("--distortion", "none"), ("--distortion", "stipple"), ("--kind", "mono"), ("--split", "test"))
    ]
    assert len(set(sheets)) == len(sheets)


@pytest.fixture
def real(tmp_path) -> Path:
    """A folder of labelled crops, black ones."""
    folder = tmp_path / "real"
    folder.mkdir()
    cv2.imwrite(str(folder / "word.png"), np.zeros((20, 60), np.uint8))
    (folder / "labels.csv").write_text("file,text\nword.png,word\n")
    return folder


def test_preview_puts_real_words_above_invented_ones(inputs, real, tmp_path):
    sheet(tmp_path, *inputs, "--distortion", "none")
    alone = cv2.imread(str(tmp_path / "sheet.png"), cv2.IMREAD_GRAYSCALE)
    sheet(tmp_path, *inputs, "--distortion", "none", "--real", real, "--form", "crops")
    both = cv2.imread(str(tmp_path / "sheet.png"), cv2.IMREAD_GRAYSCALE)
    above = len(both) - len(alone)
    assert (both[above + 2 :] == alone[2:]).all()
    assert (both[above : above + 2] == 0).all()  # a line between them
    assert (both[:above] == 0).sum() >= 20 * 60


def test_crops_of_a_sheet_stand_nearer_to_their_own_text_than_to_any_other(vocabulary, verdicts):
    tall, flat = (Sample(np.zeros(shape, np.uint8), "Hg") for shape in ((200, 60), (6, 60)))
    sheet = contact_sheet([[tall, flat, tall, flat]], verdicts[0].path, columns=1)
    inked = (sheet < 128).any(axis=1)
    edges = np.flatnonzero(np.diff(inked.astype(int), prepend=0, append=0)).reshape(-1, 2)  # crop, text, crop, text ...
    gaps = edges[1:, 0] - edges[:-1, 1]
    assert len(edges) == 8
    assert gaps[::2].max() < gaps[1::2].min()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-o", "{tmp}/sheet.tif"], "A contact sheet is a .png or a .jpg file, which {tmp}/sheet.tif is not."),
        (["--form", "crops"], "--real and --form go together: a folder of labelled pages and the form it is in."),
        (["--real", "{tmp}/none", "--form", "crops"], "There is no folder {tmp}/none."),
        (["--real", "{tmp}/real", "--form", "crops"], "No word of the 1 labelled pages can be cut out."),
        (["--kind", "handwriting"], "None of 0 fonts is usable for the split 'train'"),
        (["--vocabulary", "{tmp}/empty.json"], "The vocabulary holds no usable word."),
    ],
    ids=["another suffix", "half an option", "no folder", "no real word", "no usable font", "no usable word"],
)
def test_what_no_sheet_can_be_made_of_is_told_in_a_sentence(arguments, sentence, inputs, real, tmp_path):
    (real / "labels.csv").write_text("file,text\nword.png,\n")
    (tmp_path / "empty.json").write_text('{"words": []}')
    arguments = [argument.format(tmp=tmp_path) for argument in arguments]
    status, said = run("preview", *inputs, "-o", tmp_path / "sheet.png", *arguments)
    assert (status, sentence.format(tmp=tmp_path) in said, said.count("\n")) == (2, True, 1)
    assert not list(tmp_path.glob("sheet*"))


@pytest.mark.parametrize("verb", [("preview", "-o", "sheet.png"), ("words", "--words", 5, "--out", "words")])
def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing_half(verb, inputs, tmp_path, monkeypatch):
    def full(part: Path, path: Path) -> None:
        part.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.replace", full)
    without_verdicts = [inputs[0], inputs[1], *inputs[4:]]
    status, said = run(verb[0], *without_verdicts, *verb[1:])
    assert (status, "cannot be written: No space left on device." in said) == (2, True)
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".part", ".npz") or path.name == "sheet.png"]


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_improvement_can_be_left_out(switch):
    assert SWITCHES[switch](WordOptions()) != WordOptions()


def test_an_unknown_distortion_or_switch_is_told_in_a_sentence(inputs, tmp_path):
    status, said = run("preview", *inputs, "-o", tmp_path / "sheet.png", "--distortion", "sepia")
    assert (status, "There is no distortion sepia; there are bleed" in said) == (2, True)
    status, said = run("preview", *inputs, "-o", tmp_path / "sheet.png", "--without", "everything")
    assert (status, "'everything' is not one of 'receipts'" in said) == (2, True)
    assert not (tmp_path / "sheet.png").exists()


def test_fonts_says_what_is_usable_and_why_the_rest_is_not(fonts, verdicts, tmp_path):
    status, said = run("fonts", "--fonts", fonts, "--verdicts", tmp_path / "v.json", "--table", tmp_path / "table.csv")
    assert status == 0
    assert f"{len(verdicts) - 2} of {len(verdicts)} faces are usable" in said
    assert "unfit: symbols or scrawl in place of letters" in said
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert len(rows) == len(load_verdicts(tmp_path / "v.json")) == len(verdicts)
    assert {row["split"] for row in rows if not row["fault"]} == {"train", "val", "test"}


def test_a_folder_without_fonts_is_told_in_a_sentence(tmp_path):
    assert run("fonts", "--fonts", tmp_path) == (
        2,
        f"ocrkit: No font file in {tmp_path}; `make fonts` fetches some.\n",
    )


def test_words_writes_the_shards_that_the_engine_writes(inputs, vocabulary, fonts, tmp_path):
    arguments = ("words", *inputs, "--out", tmp_path / "words", "--words", 25, "--shard-size", 10)
    status, said = run(*arguments)
    assert (status, "25 words made, 0 were there" in said) == (0, True)
    options = WordOptions(fonts=FontOptions(sources=(str(fonts),)))
    write_words(
        tmp_path / "same", Recipe(vocabulary, tuple(load_verdicts(tmp_path / "audit.json")), options), 25, shard_size=10
    )
    assert digests(tmp_path / "words") == digests(tmp_path / "same")
    assert len(list(read_shards(tmp_path / "words"))) == 25
    assert "0 words made, 25 were there" in run(*arguments)[1]


def test_benchmark_says_words_a_second(inputs):
    status, said = run("benchmark", *inputs, "--words", 20, "--repeats", 1)
    assert status == 0
    assert "words a second" in said
    assert "TRDG" not in said


def test_an_interpreter_without_the_other_generator_is_told_in_a_sentence(inputs):
    status, said = run("benchmark", *inputs, "--words", 5, "--repeats", 1, "--trdg", "no-such-python")
    assert (status, "no-such-python cannot be started" in said) == (2, True)


@pytest.mark.parametrize("photographed", [[], ["--photograph"]])
def test_pages_are_written_with_labels_that_can_be_read_back(photographed, inputs, tmp_path):
    status, said = run("pages", *inputs, tmp_path / "pages", "--count", 2, *photographed)
    assert status == 0, said
    pages = load_pages(tmp_path / "pages", "phone")
    assert len(pages) == 2
    assert all(page.simulated and page.words for page in pages)
