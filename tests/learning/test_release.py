"""`ocrkit release` and `ocrkit evaluate`: what they write, and what they refuse without leaving anything behind."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from ocrkit.alphabet import Alphabet
from ocrkit.cli import main
from ocrkit.learning import release as verb
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.lexicon import Lexicon
from ocrkit.recognition.model import load_lexicon, read_card, write_card
from ocrkit.synth.corpus import Vocabulary
from ocrkit.synth.fonts import audit, font_folders, save_verdicts

WORDS = ("total", "cash", "change", "date", "Paris", "12", "9.90", "No.")


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a training that never took place: an untrained network, a few words, two families of fonts."""
    pytest.importorskip("keras")
    from ocrkit.recognition.model import save_network
    from ocrkit.recognition.network import build_network

    folder = tmp_path_factory.mktemp("trained")
    alphabet = Alphabet()
    before = {"model": "first", "files": {"model.weights.h5": "0123456789abcdef"}}
    card = {"trained_on": "nothing", "fonts": 2, "fine_tuned_from": before}
    save_network(build_network("nano", alphabet), alphabet, folder / "model", card, Lexicon(["Sdn"]))
    Vocabulary(WORDS, *[WORDS] * 6).save(folder / "vocabulary.json")
    kept = [path for path in font_folders(["packages"]) if "caladea" in str(path) or "manrope" in str(path)]
    save_verdicts(audit(kept), folder / "fonts.json")
    return folder


@pytest.fixture(autouse=True)
def _few_crops(monkeypatch):
    monkeypatch.setattr(verb, "PARITY_CROPS", 60)


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), np.full((20, 60), 255, np.uint8))
    (folder / "labels.csv").write_text("file,text\na.png,total\nb.png,two words\n")
    return folder


def test_a_release_is_checked_calibrated_scored_and_described(trained, crops, tmp_path):
    into = tmp_path / "released"
    credit = ("--credit", "letters: transcribed by A. Writer, CC BY 4.0")
    result = run(
        "release", trained, "mine", "--into", into, "--synthetic", 40, "--real", crops, "crops", "all", *credit
    )
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in into.rglob("*")) == sorted(
        ["mine", "card.json", "card.md", "lexicon.bin", "model.onnx", "model.weights.h5"]
    )
    card = read_card(into / "mine")
    assert card["export_parity"] <= 1e-4
    assert (card["parity_crops"], card["temperature_words"]) == (60, 60)
    lexicon = load_lexicon(into / "mine")
    assert all(word in lexicon for word in ("Sdn", WORDS[0]))  # its own, and the vocabulary's
    assert 0.2 <= card["temperature"] <= 5
    assert card["evaluation"]["synthetic, unseen fonts"]["total"]["words"] == 40
    assert card["evaluation"][crops.name]["total"]["words"] == 1  # a label with a space is not in the protocol
    assert card["evaluation_greedy"].keys() == card["evaluation"].keys()
    assert card["font_sources"] == {"Python packages": 2}
    page = (into / "mine" / "card.md").read_text("utf-8")
    assert all(part in page for part in ("# mine", "95 % interval", "Known failures", "wordfreq", "2 families"))
    assert "- letters: transcribed by A. Writer, CC BY 4.0\n" in page
    assert "| fine-tuned from | first, weights 0123456789ab |" in page
    assert load_recognizer(into / "mine").recognize([np.zeros((9, 9), np.uint8)])

    again = run("release", trained, "mine", "--into", into, "--synthetic", 20)
    assert again.exit_code == 2
    assert "--replace" in again.output
    both = run(
        "release", trained, "mine", "--into", into, "--synthetic", 20, "--replace",
        "--real", crops, "crops", "all", "--calibrate", crops, "crops", "tune",
    )  # fmt: skip
    assert both.exit_code == 2
    assert "cannot both calibrate the model and be reported on" in both.output
    fitted = run(
        "release", trained, "mine", "--into", into, "--synthetic", 20, "--replace", "--calibrate", crops, "crops", "all"
    )
    assert fitted.exit_code == 0, fitted.output
    calibrated = read_card(into / "mine")
    assert calibrated["calibration"].keys() == {"slope", "offset"}
    assert calibrated["calibrated_on"] == {crops.name: 1}
    assert f"fitted on words that it did not learn from (1 of {crops.name})" in (into / "mine" / "card.md").read_text()
    replaced = run("release", trained, "mine", "--into", into, "--synthetic", 20, "--replace")
    assert replaced.exit_code == 0, replaced.output
    assert read_card(into / "mine")["evaluation"].keys() == {"synthetic, unseen fonts"}
    assert [path.name for path in into.iterdir()] == ["mine"]


def changed_byte(model):
    data = bytearray((model / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (model / "model.onnx").write_bytes(data)


def other_export(model):
    """Weights and export of two networks, each with its right checksum."""
    from ocrkit.recognition.export import to_onnx
    from ocrkit.recognition.model import load_network

    network, _ = load_network(model)
    kernel, bias = network.get_layer("logits").get_weights()
    network.get_layer("logits").set_weights([kernel, bias + 0.01])
    to_onnx(network, "nano", model / "model.onnx")
    write_card(model, read_card(model))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (changed_byte, "damaged"),
        (other_export, "differs from its network"),
        (lambda model: (model / "card.json").write_text("{"), "not a model card"),
        (lambda model: (model / "model.weights.h5").unlink(), "has no model.weights.h5"),
    ],
)
def test_a_damaged_model_is_not_released(trained, tmp_path, damage, sentence):
    copy = shutil.copytree(trained, tmp_path / "copy")
    damage(copy / "model")
    result = run("release", copy, "mine", "--into", tmp_path / "released")
    assert result.exit_code == 2
    assert sentence in result.output
    assert not (tmp_path / "released").exists()


def test_released_models_may_not_outgrow_the_repository(trained, tmp_path, monkeypatch):
    weight = sum((trained / "model" / name).stat().st_size for name in ("model.onnx", "model.weights.h5"))
    monkeypatch.setattr(verb, "LARGEST_BYTES", weight + 1000)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "model.onnx").write_bytes(bytes(2000))
    result = run("release", trained, "mine", "--into", tmp_path)
    assert result.exit_code == 2
    assert "remove one first" in result.output
    # A model that is replaced makes room.
    verb.check_size(tmp_path, [trained / "model" / "model.onnx", trained / "model" / "model.weights.h5"], "other")


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden"])
def test_a_name_must_be_that_of_a_folder(trained, tmp_path, name):
    result = run("release", trained, name, "--into", tmp_path)
    assert result.exit_code == 2
    assert "cannot be the name" in result.output


def test_evaluation_writes_a_report_of_invented_and_real_words(trained, crops, tmp_path):
    out = tmp_path / "report"
    (tmp_path / "words.txt").write_text("total\ncash\n")
    result = run(
        "evaluate", trained / "model", crops, "--form", "crops", "--synthetic", 30, "-o", out,
        "--decoder", "beam", "--lexicon", tmp_path / "words.txt",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["reliability.png", "report.json", "report.md", "worst.png"]
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert set(report["synthetic"]["groups"]) == {"length", "characters", "font"}
    assert set(report["synthetic"]["groups"]["font"]) <= {"serif", "sans", "none"}
    assert report[crops.name]["total"]["words"] == 1
    assert report[crops.name]["total"]["exact"]["low"] is None  # one word tells no spread
    assert "30" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "nothing to read"),
        (["{crops}"], "belong together"),
        (["--form", "crops"], "belong together"),
        (["{crops}", "--form", "funsd"], "no labels in funsd form"),
        (["--synthetic", "5", "--decoder", "greedy", "--lexicon", "{crops}/labels.csv"], "choose the decoder careful"),
        (["--synthetic", "5", "--decoder", "beam", "--lexicon", "{crops}"], "no list of words"),
    ],
)
def test_what_cannot_be_evaluated_is_said(trained, crops, tmp_path, arguments, sentence):
    arguments = [argument.format(crops=crops) for argument in arguments]
    result = run("evaluate", trained / "model", *arguments, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert sentence in result.output
    assert not (tmp_path / "out").exists()
