from dataclasses import replace
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit.cli import main
from ocrkit.datasets import Sample, book_page, word_samples
from ocrkit.datasets.write import write_crops
from ocrkit.errors import BadDataset
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.suspects import (
    Decision,
    Suspect,
    decided,
    find_suspects,
    read_decisions,
    sample_id,
    write_decisions,
)


@pytest.fixture(scope="module")
def recognizer():
    return load_recognizer(threads=1)


@pytest.fixture(scope="module")
def words():
    pytest.importorskip("skimage")
    return list(word_samples([book_page()]))


def test_planted_wrong_labels_come_first(words, recognizer, record_property):
    planted = Random(4).sample(range(len(words)), 6)
    wrong = list(words)
    for place in planted:
        wrong[place] = replace(words[place], text=words[(place + 7) % len(words)].text)
    found = find_suspects(wrong, recognizer)
    first = [wrong.index(suspect.sample) for suspect in found[: len(planted) + 2]]
    record_property("measured", f"{len(set(first) & set(planted))} of 6 wrong labels among the first 8 of {len(words)}")
    assert set(planted) <= set(first)
    evidence = [suspect.evidence for suspect in found]
    assert evidence == sorted(evidence, reverse=True)
    assert all(suspect.reading != suspect.sample.text for suspect in found)


def test_labels_no_network_can_emit_come_before_all(words, recognizer):
    impossible = [replace(words[0], text="一"), replace(words[1], text="x" * 500), replace(words[2], text="wrong")]
    found = find_suspects([*words[3:9], *impossible], recognizer)
    assert {suspect.sample.text for suspect in found[:2]} == {"一", "x" * 500}
    assert [suspect.evidence for suspect in found[:2]] == [float("inf")] * 2


def test_decisions_are_carried_out(words):
    a, b, c, d = words[:4]
    decisions = {
        sample_id(a): Decision("drop"),
        sample_id(b): Decision("fix", "better"),
        sample_id(c): Decision("keep"),
    }
    assert [sample.text for sample in decided([a, b, c, d], decisions)] == ["better", c.text, d.text]


def test_an_id_is_that_of_pixels_label_and_document():
    sample = Sample(np.arange(6, dtype=np.uint8).reshape(2, 3), "a", "s", "d")
    assert sample_id(sample) == sample_id(replace(sample, source="elsewhere"))
    others = [
        replace(sample, text="b"),
        replace(sample, document="e"),
        replace(sample, image=sample.image.reshape(3, 2)),
        replace(sample, image=sample.image + 1),
    ]
    assert len({sample_id(other) for other in [sample, *others]}) == 5


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("0123,maybe,", "Line 2 .* needs an id and a decision"),
        (",drop,", "Line 2 .* needs an id"),
        ("0123,fix,", "Line 2 .* has no new_label"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_is_named(tmp_path, row, sentence):
    path = tmp_path / "decisions.csv"
    path.write_text(f"id,decision,new_label\n{row}\n")
    with pytest.raises(BadDataset, match=sentence):
        read_decisions(path)


@pytest.mark.parametrize("text", ["a\u2028b", "a\x85b", 'say "a, b"', "a\nb", "=1+1"])
def test_odd_labels_survive_the_table_of_decisions(tmp_path, words, text):
    suspect = Suspect(replace(words[0], text=text), text[::-1], 1.5)
    write_decisions([suspect, Suspect(words[1], "x", 1.0)], tmp_path / "decisions.csv")
    decisions = read_decisions(tmp_path / "decisions.csv")
    assert decisions == {sample_id(suspect.sample): Decision("keep"), sample_id(words[1]): Decision("keep")}


def test_a_page_is_written_decided_on_and_obeyed(tmp_path, words):
    wrong = [replace(words[0], text="<script>"), *words[1:6]]
    write_crops(wrong, tmp_path / "words")

    def suspects(*more):
        return CliRunner().invoke(
            main, ["data", "suspects", str(tmp_path / "words"), "--form", "crops", *map(str, more)]
        )

    done = suspects("--most", 3, "--threads", 1)
    assert done.exit_code == 0, done.output
    shown = tmp_path / "words" / "suspects.html"
    assert f"1 of 6 words read otherwise than labelled; see {shown}.\n" in done.output
    page = shown.read_text("utf-8")
    assert "&lt;script&gt;" in page
    assert "<script>" not in page.split("<main>")[1].split("</main>")[0]
    decisions = tmp_path / "words" / "decisions.csv"
    header, first, *_ = decisions.read_text("utf-8-sig").splitlines()
    assert header.startswith("id,decision,new_label")
    assert suspects().exit_code == 2  # what a person wrote is not written over
    decisions.write_text(f"{header}\n{first.replace(',keep,', ',drop,')}\n", "utf-8")
    assert "of 5 words" in suspects("-o", tmp_path / "second", "--threads", 1).output
