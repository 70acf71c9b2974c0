"""Folders of models that cannot be: each is one sentence when it is loaded, not nothing read, or a crash, later."""

import json
import shutil

import pytest

from ocrkit.errors import BadModel, BadParams
from ocrkit.files import checksum
from ocrkit.recognition import load_recognizer
from ocrkit.recognition.model import find_model, read_card


@pytest.fixture
def folder(tmp_path):
    """A copy of the released model."""
    return shutil.copytree(find_model(None), tmp_path / "model")


def change(folder, **values) -> None:
    card = read_card(folder)
    card["files"] = {name: checksum(folder / name) for name in card["files"] if (folder / name).is_file()}
    (folder / "card.json").write_text(json.dumps({**card, **values}))


LETTERS = "".join(map(chr, range(0x20, 0x120)))
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        *[({"temperature": value}, "has the temperature") for value in (None, 0, -1.5, float("nan"), "1", True, 1e400)],
        *[
            ({"calibration": value}, "has the calibration")
            for value in (
                None,
                1.5,
                {},
                {"slope": 1.0},
                {"slope": 0, "offset": 0},
                {"slope": -1, "offset": 0},
                {"slope": 1, "offset": float("nan")},
                {"slope": "1", "offset": 0},
                {"slope": 1, "offset": 1e9},
                {"slope": 1, "offset": 0, "bend": 1},
            )
        ],
        ({"alphabet": LETTERS}, "is another network's"),
        ({"alphabet": "ab"}, "is another network's"),
        ({"alphabet": ""}, "has no alphabet"),
        ({"alphabet": "aa"}, "has no alphabet"),
        ({"alphabet": None}, "does not know"),
        ({"size": ["fast"]}, "is not a model card"),
        ({"files": ["model.onnx"]}, "does not know"),
        ({"files": {"../model.onnx": "0"}}, "names files that do not lie beside it"),
        ({"files": {"model.onnx": None}}, "names files that do not lie beside it"),
    ],
)
def test_a_card_of_impossible_values_is_refused(values, sentence, folder):
    change(folder, **values)
    with pytest.raises(BadModel, match=sentence):
        load_recognizer(folder)


@pytest.mark.parametrize("card", ["[]", "null", DEEP, "\ud800", '{"size": '])
def test_a_card_that_is_none_is_refused_briefly(card, folder):
    (folder / "card.json").write_bytes(card.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadModel, match="is not a model card") as caught:
        load_recognizer(folder)
    assert len(str(caught.value)) < len(str(folder)) + 150


def test_a_file_that_is_no_network_is_refused_though_its_checksum_is_right(folder):
    data = bytearray((folder / "model.onnx").read_bytes())
    data[100:400] = b"\xff" * 300
    (folder / "model.onnx").write_bytes(data)
    change(folder)
    with pytest.raises(BadModel, match="cannot be run by onnxruntime"):
        load_recognizer(folder)


def test_another_networks_file_is_refused_though_its_checksum_is_right(folder):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'ocrkit[train]'")
    value = onnx.helper.make_tensor_value_info
    shape, kind = ["N", 32, "W"], onnx.TensorProto.UINT8
    node = onnx.helper.make_node("Identity", ["pictures"], ["logits"])
    graph = onnx.helper.make_graph([node], "other", [value("pictures", kind, shape)], [value("logits", kind, shape)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    change(folder)
    with pytest.raises(BadModel, match="is another network's"):
        load_recognizer(folder)


@pytest.mark.parametrize("threads", [0, -1, 10**20])
def test_threads_beyond_reason_are_refused(threads, folder):
    with pytest.raises(BadParams, match="1 to 1024 threads"):
        load_recognizer(folder, threads=threads)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", ""])
def test_names_of_no_model_are_refused_briefly(name):
    if not name:
        assert find_model(name) == find_model(None)
        return
    with pytest.raises(BadModel, match="There is no model") as caught:
        find_model(name)
    assert len(str(caught.value)) < 300
