"""One network on every runtime: the same outputs, and one sentence where it cannot run."""

import json
import shutil
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from ocrkit import cli
from ocrkit.errors import BadModel, BadParams, MissingExtra
from ocrkit.learning import convert
from ocrkit.learning.materials import Materials
from ocrkit.recognition import litert, load_recognizer
from ocrkit.recognition.litert import TFLITE
from ocrkit.recognition.model import find_model, read_card, save_network
from ocrkit.recognition.network import build_network
from ocrkit.recognition.quantize import quantize
from ocrkit.recognition.runtimes import RUNTIMES, load_runtime

PACKAGES = {"openvino": "openvino", "litert": "ai_edge_litert"}


@pytest.fixture(scope="module", params=["fast", "deep", "mix", "res1x128"])
def model(request, tmp_path_factory, alphabet):
    network = build_network(request.param, alphabet)
    # Untrained norms are the identity; give them something that folding could get wrong.
    rng = np.random.default_rng(1)
    network.set_weights([w + np.abs(rng.normal(0, 0.2, w.shape)).astype("f") for w in network.get_weights()])
    return save_network(network, alphabet, tmp_path_factory.mktemp("models") / request.param, {})


def pictures_of(count: int, width: int = 96) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 32, width), np.uint8)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_all_runtimes_give_the_same_logits_for_any_batch(model, runtime):
    if runtime in PACKAGES:
        pytest.importorskip(PACKAGES[runtime])
    if runtime == "openvino-bf16":
        try:
            load_runtime(runtime, model)
        except MissingExtra as reason:
            pytest.skip(str(reason))
    tolerance = 0.05 if runtime == "openvino-bf16" else 1e-3
    expected, given = load_runtime("onnxruntime", model), load_runtime(runtime, model, 1)
    for pictures in (pictures_of(5), pictures_of(1, 32), pictures_of(9, 512), pictures_of(5)):
        wanted = expected(pictures)
        assert np.allclose(given(pictures), wanted, atol=tolerance * np.abs(wanted).max())


@pytest.mark.parametrize("decoder", ["careful", "greedy", "beam"])
def test_batches_side_by_side_read_what_one_after_the_other_does(decoder):
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 256, (20, width), np.uint8) for width in rng.integers(10, 300, 60)]
    one, several = (
        load_recognizer("fast-print", threads=threads, decoder=decoder).recognize(crops) for threads in (1, 3)
    )
    assert [guess.text for guess in several] == [guess.text for guess in one]
    assert np.allclose([guess.confidence for guess in several], [guess.confidence for guess in one], atol=1e-4)


def test_bfloat16_needs_a_processor_that_has_it(model, monkeypatch):
    openvino = pytest.importorskip("openvino")

    class OldCore:
        def get_property(self, device, name):
            return ["FP32", "INT8"]

    monkeypatch.setattr(openvino, "Core", OldCore)
    with pytest.raises(MissingExtra, match="does not compute in bfloat16"):
        load_runtime("openvino-bf16", model)


@pytest.mark.parametrize(("runtime", "package"), [*PACKAGES.items(), ("tensorflow", "tensorflow")])
def test_a_runtime_that_is_not_installed_is_one_sentence(model, runtime, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"is not installed: pip install 'ocrkit\[\w+\]'\.$"):
        load_runtime(runtime, model)


def test_without_keras_litert_needs_its_own_file(model, tmp_path, monkeypatch):
    pytest.importorskip("ai_edge_litert")
    monkeypatch.setattr("ocrkit.recognition.runtimes.load_network", lambda folder: __import__("no_such_keras"))
    with pytest.raises(MissingExtra, match=r"has no model\.tflite"):
        load_runtime("litert", model)
    monkeypatch.undo()
    convert.add_litert(model, tmp_path, [])
    monkeypatch.setattr("ocrkit.recognition.runtimes.load_network", lambda folder: __import__("no_such_keras"))
    assert load_runtime("litert", tmp_path)(pictures_of(2)).shape[:2] == (2, 24)
    changed = bytearray((tmp_path / TFLITE).read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / TFLITE).write_bytes(changed)
    with pytest.raises(BadModel, match="damaged"):
        load_runtime("litert", tmp_path)


def test_a_litert_file_that_differs_is_refused(model, tmp_path, monkeypatch):
    pytest.importorskip("ai_edge_litert")

    def changed(network, size):
        layer = network.get_layer("logits")
        right = layer.get_weights()
        layer.set_weights([w * 1.01 for w in right])
        content = litert.to_litert(network, size)
        layer.set_weights(right)
        return content

    monkeypatch.setattr(convert, "to_litert", changed)
    with pytest.raises(BadModel, match=r"model\.tflite differs"):
        convert.add_litert(model, tmp_path, [])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("parts", [["convolutions"], ["lstms"], ["convolutions", "outputs", "lstms"]])
def test_int8_is_smaller_and_reads_nearly_the_same(tmp_path, parts, samples):
    released, crops = find_model(None), [sample.image for sample in samples]
    quantised = quantize(released, tmp_path / "int8", crops, parts)
    assert read_card(quantised)["precision"] == f"int8: {', '.join(parts)}"
    assert set(read_card(quantised)["files"]) == set(read_card(released)["files"]) - {"model.weights.h5"}
    assert (quantised / "model.onnx").stat().st_size < (released / "model.onnx").stat().st_size
    exact, rough = (np.concatenate(load_recognizer(folder).logits(crops)) for folder in (released, quantised))
    assert 0 < np.abs(exact - rough).mean() < 0.1 * np.abs(exact).mean()


def test_an_unknown_part_is_named(model, tmp_path):
    with pytest.raises(BadParams, match="'attention'"):
        quantize(model, tmp_path / "int8", [], ["attention"])


class FewWords:
    """Stands in for the vocabulary and fonts that invented words are made of."""

    def __init__(self, samples):
        self.samples = samples

    def words(self, number, split):
        return self.samples[:number]


def run(*args):
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


def test_convert_writes_a_model_that_can_be_read_with(model, tmp_path, monkeypatch, samples):
    monkeypatch.setattr(Materials, "of_training", lambda folder: FewWords(samples))
    monkeypatch.setattr(convert, "LARGEST_LOSS", 1.0)  # a network that was never trained reads as it likes
    for form in ("int8", "litert"):
        if form == "litert":
            pytest.importorskip("ai_edge_litert")
        done = run("convert", model, tmp_path / form, "--to", form, "--words", 20)
        assert done.exit_code == 0, done.output
        assert load_recognizer(tmp_path / form).recognize([samples[0].image])
    assert json.loads((tmp_path / "litert" / "card.json").read_text())["files"].keys() >= {TFLITE, "model.onnx"}


def test_int8_that_reads_worse_is_not_written(model, tmp_path, monkeypatch, samples):
    monkeypatch.setattr(Materials, "of_training", lambda folder: FewWords(samples))
    monkeypatch.setattr(convert, "LARGEST_LOSS", -1.0)
    done = run("convert", model, tmp_path / "int8", "--to", "int8", "--words", 20)
    assert (done.exit_code, "loses more than" in done.stderr) == (2, True)
    assert not (tmp_path / "int8").exists()
    (tmp_path / "there").mkdir()
    assert "exists: choose another folder" in run("convert", model, tmp_path / "there", "--to", "int8").stderr
    assert (tmp_path / "there").exists()


def test_one_changed_byte_is_noticed_by_every_runtime_that_reads_the_file(model, tmp_path):
    pytest.importorskip("openvino")
    folder = shutil.copytree(model, tmp_path / "copy")
    data = bytearray((folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.onnx").write_bytes(data)
    for runtime in ("onnxruntime", "openvino"):
        with pytest.raises(BadModel, match="damaged"):
            load_runtime(runtime, folder)
