import json
import shutil
from contextlib import nullcontext

import numpy as np
import pytest

from ocrkit.errors import BadImage, BadModel, BadParams
from ocrkit.recognition import litert, load_recognizer
from ocrkit.recognition.export import agreement, check_parity, in_double, to_onnx
from ocrkit.recognition.model import find_model, identity, load_network, read_card, save_network, write_card
from ocrkit.recognition.network import build_network
from ocrkit.recognition.runtimes import load_runtime


@pytest.fixture(scope="module")
def model(tmp_path_factory, alphabet):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    network = build_network("nano", alphabet)
    # Untrained norms are the identity; give them something that folding could get wrong.
    rng = np.random.default_rng(1)
    network.set_weights([w + np.abs(rng.normal(0, 0.2, w.shape)).astype("f") for w in network.get_weights()])
    return save_network(network, alphabet, folder, {"trained_on": "nothing"})


def test_a_model_is_the_same_by_what_it_reads_with_not_by_its_scores_or_name(model, tmp_path):
    other = shutil.copytree(model, tmp_path / "another name")
    (other / "card.md").write_text("scored anew")
    write_card(other, read_card(other) | {"evaluation": {"FUNSD": 0.9}})
    assert identity(other) == identity(model)
    write_card(other, read_card(other) | {"temperature": 1.5})
    assert identity(other) != identity(model)
    shutil.copytree(model, other, dirs_exist_ok=True)
    write_card(other, read_card(other) | {"calibration": {"slope": 1.1, "offset": 0.2}})
    assert identity(other) != identity(model)
    shutil.copytree(model, other, dirs_exist_ok=True)
    (other / "model.onnx").write_bytes(b"other weights")
    write_card(other, read_card(other))
    assert identity(other) != identity(model)


def test_a_saved_model_says_what_it_is(model, alphabet):
    card = read_card(model)
    assert (card["size"], card["alphabet"], card["trained_on"]) == ("nano", alphabet.characters, "nothing")
    assert card["export_parity"] < 1e-3
    assert set(card["files"]) == {"model.onnx", "model.weights.h5"}


def test_an_export_that_differs_is_refused(model, alphabet, tmp_path):
    network, _ = load_network(model)
    to_onnx(network, "nano", tmp_path / "model.onnx")
    changed = network.get_layer("logits").get_weights()
    network.get_layer("logits").set_weights([changed[0] * 1.01, changed[1]])
    with pytest.raises(BadModel, match="differs"):
        check_parity(network, tmp_path / "model.onnx", alphabet)


@pytest.mark.parametrize(
    ("strays", "refused"), [({7: 2e-4}, False), ({7: 2e-4, 900: 2e-4}, True), ({7: 2e-3}, True), ({}, False)]
)
def test_one_crop_of_a_thousand_may_stray_as_rounding_makes_it(model, alphabet, strays, refused):
    network, _ = load_network(model)
    exact = in_double(network, alphabet)
    crops = [np.full((32, 16), grey % 256, np.uint8) for grey in range(1000)]
    read = 0

    def export(pictures):
        nonlocal read
        logits = exact(pictures)
        for number, by in strays.items():
            if 0 <= number - read < len(logits):
                logits[number - read, 0, 0] += by
        read += len(logits)
        return logits

    with pytest.raises(BadModel, match="differs") if refused else nullcontext():
        assert agreement(network, alphabet, export, crops, "model.onnx") == pytest.approx(
            max(strays.values(), default=0)
        )
    if set(strays.values()) == {2e-4}:  # LiteRT's rounding makes more crops stray, but none farther
        read = 0
        assert agreement(network, alphabet, export, crops, "model.tflite", few=litert.FEW) == pytest.approx(2e-4)


@pytest.mark.parametrize("file", ["model.onnx", "model.weights.h5"])
def test_one_changed_byte_is_noticed(model, tmp_path, file):
    folder = shutil.copytree(model, tmp_path / "copy")
    data = bytearray((folder / file).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / file).write_bytes(data)
    with pytest.raises(BadModel, match="damaged"):
        load_runtime("onnxruntime" if file == "model.onnx" else "tensorflow", folder)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda card: "not json", "not a model card"),
        (lambda card: json.dumps({**card, "size": "colossal"}), "does not know"),
        (lambda card: json.dumps({k: v for k, v in card.items() if k != "alphabet"}), "not a model card"),
    ],
)
def test_a_damaged_card_is_named(model, tmp_path, damage, sentence):
    folder = shutil.copytree(model, tmp_path / "copy")
    (folder / "card.json").write_text(damage(read_card(folder)))
    with pytest.raises(BadModel, match=sentence):
        load_recognizer(folder)


def test_missing_models_and_runtimes_are_named(model):
    with pytest.raises(BadModel, match="no model 'nowhere'"):
        find_model("nowhere")
    with pytest.raises(BadParams, match="onnxruntime"):
        load_recognizer(model, runtime="abacus")


def test_the_name_of_a_former_default_means_the_model_that_took_its_place(caplog):
    assert find_model("fast-receipts") == find_model(None)
    assert "fast-receipts is no longer released: fast-print" in caplog.text


@pytest.mark.parametrize("shape", [(1, 1), (20, 5000), (300, 4), (24, 60, 3)])
def test_odd_crops_are_read_without_complaint(model, shape):
    (guess,) = load_recognizer(model).recognize([np.full(shape, 255, np.uint8)])
    assert 0 <= guess.confidence <= 1
    assert len(guess.spans) == len(guess.text)


def test_a_crop_of_the_wrong_kind_is_refused_and_none_gives_none(model):
    recognizer = load_recognizer(model)
    assert recognizer.recognize([]) == []
    with pytest.raises(BadImage):
        recognizer.recognize([np.zeros((10, 10, 4), np.uint8)])


def test_guesses_come_in_the_order_of_the_crops(model, samples):
    recognizer = load_recognizer(model)
    crops = [sample.image for sample in samples]
    together = [guess.text for guess in recognizer.recognize(crops)]
    assert together == [recognizer.recognize([crop])[0].text for crop in crops]
