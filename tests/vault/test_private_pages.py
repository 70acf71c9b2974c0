"""Donated pages on their way through the kit: read like any others, and written nowhere."""

from __future__ import annotations

import json

import nbformat
import numpy as np
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook, new_output
from vaults import WORD, draw_page

from ocrkit import privacy
from ocrkit.cli import main
from ocrkit.datasets import load_pages, word_samples, write_shard
from ocrkit.datasets.vault import open_vault, relabel
from ocrkit.datasets.write import write_crops
from ocrkit.engines.base import Engine
from ocrkit.engines.compare import compare
from ocrkit.engines.single_words import read_words
from ocrkit.errors import PrivateData


class Silent(Engine):
    """Reads nothing, and keeps count of what it was given."""

    name = version = "silent"

    def __init__(self, is_private: bool) -> None:
        self.is_private, self.given = is_private, 0

    def read(self, image):
        self.given += 1
        raise ValueError(f"cannot read {WORD}")

    def recognize(self, crops):
        self.given += len(crops)
        return [""] * len(crops)


def test_a_page_comes_out_as_it_went_in_and_knows_that_it_is_private(donated, tmp_path):
    plain = {page.texts[-1]: page for page in load_pages(tmp_path / "plain", "phone")}
    for page in load_pages(donated.folder, "vault", use="train"):
        same = plain[page.texts[-1]]
        assert page.private
        assert not same.private
        assert page.path is page.pixels is None
        assert np.array_equal(page.image(), same.image())
        assert page.texts == same.texts
        assert np.array_equal([w.quad for w in page.words], [w.quad for w in same.words])
        samples = list(word_samples([page]))
        assert all(sample.private and sample.document == page.id for sample in samples)
        assert WORD not in repr(samples[0].image)


def test_what_is_withdrawn_after_pages_were_asked_for_is_left_out_and_counted(donated):
    from collections import Counter

    pages = load_pages(donated.folder, "vault", use="train")
    open_vault(donated.folder).withdraw("donor-3")
    left_out: Counter[str] = Counter()
    samples = list(word_samples(pages, left_out=left_out))
    assert len({sample.document for sample in samples}) == 5
    assert left_out["withdrawn by the donor meanwhile"] == 3
    comparison = compare([Silent(True)], pages)
    assert len(comparison.scores) == 5


@pytest.mark.parametrize("kind", ["crops", "shard", "page engine", "word engine"])
def test_donated_words_go_to_no_file_and_no_engine_that_lets_them_out(donated, tmp_path, kind):
    pages = load_pages(donated.folder, "vault")
    samples = list(word_samples(pages))
    engine = Silent(is_private=False)
    engine.name = "a service"
    ways = {
        "crops": lambda: write_crops(samples, tmp_path / "crops"),
        "shard": lambda: write_shard(tmp_path / "crops" / "a.npz", samples),
        "page engine": lambda: compare([Silent(True), engine], pages),
        "word engine": lambda: read_words([engine], samples),
    }
    with pytest.raises(PrivateData), privacy.without_content():
        ways[kind]()
    assert engine.given == 0
    assert not [path for path in (tmp_path / "crops").rglob("*") if path.is_file()]


def test_a_comparison_tells_nothing_of_single_donated_pages_nor_of_too_few(donated):
    pages = load_pages(donated.folder, "vault")
    comparison = compare([Silent(True)], pages)
    told = json.dumps(comparison.to_dict())
    assert comparison.to_dict()["pages"] == []
    assert WORD not in told
    assert not any(page.id in told for page in pages)
    with pytest.raises(PrivateData, match="about 4 donated documents"):
        compare([Silent(True)], pages[:4])


def test_new_labels_are_sealed_where_the_old_ones_were(donated):
    from dataclasses import replace

    pages = load_pages(donated.folder, "vault", use="label")
    relabel(open_vault(donated.folder), [replace(page, words=page.words[:1]) for page in pages], "a job")
    assert {len(page.words) for page in load_pages(donated.folder, "vault")} == {1}
    assert open_vault(donated.folder).verify().faults == ()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("data", "validate", "VAULT", "--form", "vault"), 0, "6 pages, 0 errors"),
        (("data", "stats", "VAULT", "--form", "vault"), 0, "transcribed words  18"),
        (("data", "words", "VAULT", "--form", "vault", "-o", "crops"), 2, "Donated words stay in their vault"),
        (("data", "suspects", "VAULT", "--form", "vault"), 2, "donated ones stay in their vault"),
        (("vault", "list", "--vault", "VAULT"), 0, "donor-5"),
        (("vault", "audit", "--vault", "VAULT"), 0, "added      donor-0 1 page"),
        (("vault", "audit", "--vault", "VAULT", "-o", "page.html"), 2, "give --donor"),
        (("vault", "withdraw", "nobody", "--vault", "VAULT", "--yes"), 2, "There is no donor 'nobody'."),
        (("vault", "read", "--vault", "VAULT", "--use", "label", "--reason", "x", "0123"), 2, "There is no object"),
        (("vault", "read", "--vault", "VAULT", "--use", "label", "--reason", " "), 2, "Donors see the reason"),
        (("vault", "init", "--vault", "v", "--member", "", "--new-identity", "new.identity"), 2, "is no name"),
        (
            ("vault", "init", "--vault", "VAULT", "--member", "x", "--new-identity", "new.identity"),
            2,
            "holds something",
        ),
        (
            ("vault", "invite", "ann", "--vault", "VAULT", "--new-identity", "new.identity"),
            2,
            "There is a member 'ann'",
        ),
        (("vault", "list", "--vault", "nowhere"), 2, "nowhere is no vault, or was copied in part"),
        (("vault", "add", "page.png", "--vault", "VAULT", "--donor", "x", "--consent", "none.toml"), 2, "none.toml"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_verbs_say_what_they_do_and_no_word_of_a_page(donated, tmp_path, monkeypatch, words, status, said):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, [str(donated.folder) if word == "VAULT" else word for word in words])
    assert done.exit_code == status, done.output
    assert said in done.output
    assert WORD not in done.output
    assert not (tmp_path / "crops").exists()
    assert not (tmp_path / "new.identity").exists()  # it would open nothing


def test_the_page_of_a_donor_shows_uses_and_the_way_back_and_nothing_of_the_page(donated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_pages(donated.folder, "vault", use="train")
    command = ["vault", "audit", "--vault", str(donated.folder), "--donor", "donor-2", "-o", "page.html"]
    assert CliRunner().invoke(main, command).exit_code == 0
    page = (tmp_path / "page.html").read_text()
    assert (tmp_path / "page.html").stat().st_mode & 0o77 == 0  # nobody else's
    for wanted in ("p2.png", "to teach a model", "ocrkit vault withdraw donor-2", "privacy@example.org"):
        assert wanted in page
    assert WORD not in page
    assert "http" not in page.replace("http-equiv", "")


WORDING = f'wording_sha256 = "{"0" * 64}"\n'


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ('uses = ["train"]\ngiven = 2026-01-01\n', "name the text that was agreed to"),
        (f'uses = ["train"]\nwording = "x"\n{WORDING}given = 2026-01-01\n', "as wording .* or wording_sha256"),
        (f'uses = ["sell"]\n{WORDING}given = 2026-01-01\n', "uses, entry 1 must be 'train', .*, not 'sell'"),
        (f'uses = "train"\n{WORDING}given = "May"\n', "uses must be a list, not 'train'; given must be a date such as"),
        (f'usess = ["train"]\n{WORDING}given = 2026-01-01\n', r"there is no key usess \(did you mean uses\?\)\.$"),
        ('uses = []\nwording_sha256 = "X"\ngiven = 2026-01-01\n', "a SHA-256 has 64 figures"),
        ('uses = ["train"]\nwording = "missing.txt"\ngiven = 2026-01-01\n', "missing.txt cannot be read"),
        ("uses = [", "no TOML"),
        (f"uses = []\n{WORDING}given = 2026-02-01\nuntil = 2026-01-01\n", "until is before given"),
        (f"uses = []\n{WORDING}given = 2026-02-01\nnotes = 1\n", r"no key notes \(there are uses, wording, .*until\)"),
        (f"uses = []\n{WORDING}given = 2999-02-01\n", "given on 2999-02-01, which is still to come"),
        (f"uses = []\n{WORDING}given = 2001-02-01\nuntil = 2002-02-01\n", "ended on 2002-02-01"),
    ],
)
def test_a_consent_that_says_too_little_or_too_much_or_does_not_hold_today_is_refused(tmp_path, told, reason):
    from ocrkit.errors import BadVault
    from ocrkit.vault import load_consent

    (tmp_path / "consent.toml").write_text(told)
    with pytest.raises(BadVault, match=reason) as refused:
        load_consent(tmp_path / "consent.toml", "donor")
    assert "Input should" not in str(refused.value)
    assert "Value error" not in str(refused.value)


def test_an_executed_notebook_keeps_kinds_of_errors_and_what_aggregates_print():
    run = pytest.importorskip("ocrkit.experiment.run")
    image = new_output("display_data", {"image/png": "iVBOR", "text/plain": WORD})
    shown = [
        new_output("stream", name="stdout", text=f"{WORD}\n"),
        image,
        new_output("execute_result", {"text/plain": WORD}, execution_count=1),
        new_output("error", ename="KeyError", evalue=WORD, traceback=[WORD]),
    ]
    cells = [new_code_cell("1", outputs=shown), new_code_cell("2", metadata={"tags": ["aggregate"]})]
    cells[1].outputs = [new_output("stream", name="stdout", text="14 words\n"), image]
    notebook = new_notebook(cells=cells, metadata={"widgets": {"state": {"value": WORD}}})
    cells[1].outputs[1].data["text/plain"] = "0.9"
    run.hide_outputs(notebook)
    text = nbformat.writes(notebook)
    assert WORD not in text
    assert "iVBOR" not in text
    assert len(notebook.cells[0].outputs) == 4
    assert notebook.cells[0].outputs[3].ename == "KeyError"
    assert "14 words" in text
    assert '"0.9"' in text


def test_pages_are_drawn_for_these_tests_with_words_that_stand_on_them():
    image, labels = draw_page(["total", WORD])
    assert [label["text"] for label in labels] == ["total", WORD]
    assert image.min() == 0
