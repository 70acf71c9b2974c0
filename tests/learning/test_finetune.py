import csv
import json
from itertools import islice
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from reportlab.pdfgen.canvas import Canvas

from ocrkit.alphabet import Alphabet
from ocrkit.cli import main
from ocrkit.datasets import Sample
from ocrkit.datasets.write import write_crops
from ocrkit.files import digest
from ocrkit.learning.finetune import (
    augment,
    augmented,
    common_words,
    first_documents,
    mixed,
    origin,
    real_words_of,
    usable,
    with_chunks,
)
from ocrkit.learning.trainer import endless
from ocrkit.recognition.model import load_lexicon, load_network, read_card, save_network
from ocrkit.recognition.network import build_network
from ocrkit.synth.distort import banks_of


def numbered(name):
    def items(start, stop):
        return (Sample(np.zeros((2, 2), np.uint8), f"{name}{i}") for i in range(start, stop))

    return items


@pytest.mark.parametrize("share", [0.3, 0.5, 0.75, 1.0])
def test_a_mix_holds_its_share_wherever_it_is_entered(share):
    source = mixed(numbered("r"), numbered("i"), share)
    whole = [sample.text for sample in source(0, 200)]
    assert sum(text.startswith("r") for text in whole) == int(200 * share)
    assert whole[:101] + [sample.text for sample in source(101, 200)] == whole
    for kind in "ri":
        assert [text for text in whole if text[0] == kind] == [
            f"{kind}{i}" for i in range(sum(t[0] == kind for t in whole))
        ]


def drawn(text):
    image = np.full((32, 18 * len(text) + 12), 230, np.uint8)
    cv2.putText(image, text, (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 30, 2)
    return image


def test_augmented_crops_keep_their_ink_and_are_the_same_by_number():
    image = drawn("TOTAL")
    banks = banks_of(1)
    for seed in range(40):
        other = augment(image, Random(seed), banks)
        assert other.dtype == np.uint8
        assert all(abs(a - b) <= 0.22 * 32 for a, b in zip(other.shape, image.shape))
        dark = other < other.max() * 0.6
        assert dark.sum() > 0.3 * (image < 140).sum()
    source = augmented(endless([Sample(image, "TOTAL")], 1), 5)
    straight = [sample.image for sample in source(0, 6)]
    assert all(np.array_equal(a.image, b) for a, b in zip(source(3, 6), straight[3:]))
    assert not all(np.array_equal(straight[0], other) for other in straight[1:])


def test_smaller_sets_are_parts_of_larger_ones_and_hold_whole_documents():
    samples = [Sample(np.zeros((2, 2), np.uint8), f"{d}-{w}", "", d) for w in range(10) for d in "abcde"]
    few, more = first_documents(samples, 15), first_documents(samples, 30)
    assert [s.text for s in few] == [s.text for s in more[:15]]
    assert len({s.document for s in few}) == 2
    assert len(first_documents(samples, None)) == 50


def test_labels_are_normalised_and_those_beyond_the_alphabet_left_out():
    samples = [Sample(np.zeros((2, 2), np.uint8), text) for text in ("a\u00a0b", "漢", "ok", "")]
    assert [s.text for s in usable(samples, Alphabet())] == ["a b", "ok"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model that has learnt nothing."""
    folder = tmp_path_factory.mktemp("models") / "unlearnt"
    return save_network(build_network("nano", Alphabet()), Alphabet(), folder, {})


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops") / "Receipts"
    texts = ["TOTAL", "CASH", "12.50", "GST", "ok"]
    write_crops([Sample(drawn(texts[i % 5]), texts[i % 5], "", f"page {i // 5}") for i in range(60)], folder)
    return folder


def run(folder, output, model, *more, form="crops"):
    command = [
        "finetune",
        folder,
        "--form",
        form,
        "-o",
        output,
        "--load",
        model,
        "--epochs",
        1,
        "--batch-size",
        4,
        *more,
    ]
    return CliRunner().invoke(main, list(map(str, command)))


@pytest.mark.parametrize(("private", "known"), [(False, True), (True, False)])
def test_common_words_of_documents_join_the_lexicon_but_none_of_donated_ones(private, known):
    samples = [Sample(drawn("Smith"), "Smith", "", f"page {i}", private) for i in range(5)]
    assert ("Smith" in common_words(samples)) == known


def test_a_folder_of_crops_makes_a_model_whose_card_names_it_and_resumed_it_stays(crops, model, tmp_path, monkeypatch):
    monkeypatch.setattr("ocrkit.learning.finetune._GENERAL_WORDS", 20)
    done = run(crops, tmp_path / "out", model, "--freeze", "--loss-limit", 6)
    assert done.exit_code == 0, done.output
    card = read_card(tmp_path / "out" / "model")
    assert card["sources"] == ["synthetic", "Receipts"]
    assert card["fine_tuned_from"] == origin(model)
    assert card["real_words"] + card["held_out_words"] == 60
    # Each of its twelve pages has them all; a word has two letters, and none that is no letter.
    assert len(load_lexicon(tmp_path / "out" / "model")) == 4
    assert "gst" not in load_lexicon(tmp_path / "out" / "model")
    assert (card["train_options"]["frozen"], card["train_options"]["loss_limit"]) == (True, 6)
    before, after = (load_network(folder)[0] for folder in (model, tmp_path / "out" / "model"))
    for layer, stays in (("conv1", True), ("logits", False)):
        pair = (network.get_layer(layer).get_weights()[0] for network in (before, after))
        assert np.allclose(*pair, atol=1e-6) == stays  # averaging weights rounds them

    again = run(crops, tmp_path / "out", model, "--freeze")
    assert (again.exit_code, "give --resume" in again.output) == (2, True)
    (curve,) = (tmp_path / "out").glob("*/curve.csv")
    rows = curve.read_bytes().splitlines(keepends=True)
    curve.write_bytes(b"".join(rows[:-1]))  # as a kill between the checkpoint and this row leaves it
    resumed = run(crops, tmp_path / "out", model, "--freeze", "--loss-limit", 6, "--resume")
    assert resumed.exit_code == 0, resumed.output
    again_card = read_card(tmp_path / "out" / "model")
    assert again_card["files"]["model.onnx"] == card["files"]["model.onnx"]
    assert again_card["curve"] == card["curve"]
    assert curve.read_bytes() == b"".join(rows)


def test_characters_that_the_model_did_not_know_are_learnt(tmp_path, monkeypatch):
    monkeypatch.setattr("ocrkit.learning.finetune._GENERAL_WORDS", 20)
    old = Alphabet(Alphabet().characters.replace("„", ""))
    before = save_network(build_network("nano", old), old, tmp_path / "before", {})
    words = [Sample(drawn("A"), f"„{number}“" if number % 2 else "A", "", f"page {number % 8}") for number in range(32)]
    write_crops(words, tmp_path / "letters")
    done = run(tmp_path / "letters", tmp_path / "out", before)
    assert done.exit_code == 0, done.output
    assert "left out" not in done.output
    card = read_card(tmp_path / "out" / "model")
    assert card["alphabet"] == old.characters + "„"
    assert card["real_words"] + card["held_out_words"] == 32
    assert (card["pdfs"], card["sources"]) == (None, ["synthetic", "letters"])


def test_the_pdfs_whose_words_are_mixed_in_are_on_the_card(crops, model, tmp_path, monkeypatch):
    monkeypatch.setattr("ocrkit.learning.finetune._GENERAL_WORDS", 20)
    pdfs = tmp_path / "Manuals"
    pdfs.mkdir()
    canvas = Canvas(str(pdfs / "letter.pdf"), pagesize=(420, 300), invariant=1)
    canvas.setFont("Times-Roman", 13)
    canvas.drawString(40, 240, "The parcel is at the depot and we waited for it.")
    canvas.save()
    done = run(crops, tmp_path / "out", model, "--pdfs", pdfs)
    assert done.exit_code == 0, done.output
    card = read_card(tmp_path / "out" / "model")
    assert card["pdfs"] == {"folder": "Manuals", "digest": digest(pdfs)}
    assert card["sources"] == ["synthetic", "PDFs", "Receipts"]


@pytest.mark.parametrize("place", ["fast-12", "fast-12/model"])
def test_a_card_names_the_model_before_it_by_its_training(tmp_path, place, monkeypatch):
    facts = {"trained_on": "synthetic words only", "date": "2026-01-31", "files": {"model.onnx": "12ab"}}
    folder = tmp_path / place
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps({"size": "nano", "alphabet": "ab", "curve": [], **facts}))
    monkeypatch.chdir(folder.parent)
    assert origin(Path(folder.name)) == {"model": "fast-12", **facts}


def test_seeds_and_sizes_are_runs_of_which_the_best_on_all_words_is_kept(crops, model, tmp_path, monkeypatch):
    trials = []

    def pretended(words, base, options, share, folder, report, resume):
        trials.append((len(words.tune), options.seed, options.frozen, share))
        (folder / "model").mkdir(parents=True)
        (folder / "model" / "who").write_text(folder.name)
        gain = {"real": 0.5 + 0.1 * (options.seed == 8), "general": 0.8, "general_change_high": -0.01}
        return {"words": len(words.tune), "seed": options.seed, "real_before": 0.4, "general_before": 0.9, **gain}

    monkeypatch.setattr("ocrkit.learning.finetune.fine_tune", pretended)
    monkeypatch.setattr("ocrkit.learning.finetune._GENERAL_WORDS", 5)
    done = run(crops, tmp_path, model, "--seeds", 2, "--learning-curve", "20,all,5000", "--real-share", 0.25)
    assert done.exit_code == 0, done.output
    every = trials[2][0]
    assert 20 < every < 60
    assert trials == [(20, 7, False, 0.25), (20, 8, False, 0.25), (every, 7, False, 0.25), (every, 8, False, 0.25)]
    assert (tmp_path / "model" / "who").read_text() == f"{every}-words-seed-8"
    assert "40.0% -> 55.0% +- 7.1%" in done.output
    assert "has forgotten general words: -10.0%" in done.output
    with (tmp_path / "runs.csv").open(encoding="utf-8-sig") as file:
        assert [row["seed"] for row in csv.DictReader(file)] == ["7", "8", "7", "8"]


def test_what_must_not_be_learnt_from_or_cannot_is_said(crops, model, tmp_path):
    refused = run(crops, tmp_path / "out", model, form="funsd")
    assert (refused.exit_code, "evaluation only" in refused.output) == (2, True)
    (tmp_path / "one").mkdir()
    write_crops([Sample(drawn("A"), "A", "", "the only page")], tmp_path / "one" / "few")
    few = run(tmp_path / "one" / "few", tmp_path / "out", model)
    assert (few.exit_code, "none of 1 document is among the 20% to hold out" in few.output) == (2, True)
    assert next(islice((tmp_path / "out").glob("*"), 1), None) is None


def test_documents_of_several_folders_are_told_apart(tmp_path):
    for name in ("bills", "letters"):
        words = [Sample(drawn("A"), f"{name[0]}{number}", "", f"page {number % 8}") for number in range(32)]
        write_crops(words, tmp_path / name)
    split = real_words_of([tmp_path / "bills", tmp_path / "letters"], "crops", Alphabet(), 0.3)
    documents = {part: {sample.document for sample in samples} for part, samples in split.items()}
    assert len(documents["tune"] | documents["held_out"]) == 16
    assert not documents["tune"] & documents["held_out"]
    assert sum(map(len, split.values())) == 64
    assert {sample.source for samples in split.values() for sample in samples} == {"bills", "letters"}
    alone = real_words_of([tmp_path / "bills"], "crops", Alphabet(), 0.3)
    assert {sample.document for sample in alone["tune"]} < {f"page {number}" for number in range(8)}


def test_neighbours_of_a_document_are_also_shown_as_one_crop_with_a_blank():
    rng = np.random.default_rng(1)
    heights = [20, 22, 21, 40, 20, 20]
    samples = [
        Sample(rng.integers(0, 255, (height, 30), np.uint8), word, "", "page 1" if i < 4 else "page 2")
        for i, (height, word) in enumerate(zip(heights, ["TOTAL", "RM", "9.90", "CASH", "one", "two"]))
    ]
    made = with_chunks(samples, seed=3, share=1.0)
    assert made[:6] == samples
    assert [chunk.text for chunk in made[6:]] == ["TOTAL RM", "RM 9.90", "one two"]
    for chunk, height in zip(made[6:], (22, 22, 20)):
        assert chunk.image.shape[0] == height
        assert 60 + 0.2 * height - 1 <= chunk.image.shape[1] <= 60 + 0.6 * height + 1
    assert np.array_equal(made[8].image[:, :30], samples[4].image)
    assert np.array_equal(made[8].image[:, -30:], samples[5].image)
    again = with_chunks(samples, seed=3, share=1.0)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(made, again))
