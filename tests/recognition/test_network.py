import json
import os
import subprocess
import sys

import numpy as np
import pytest

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadModel, BadParams
from ocrkit.learning import size_table
from ocrkit.recognition.network import SIZES, STRIDE_PX, build_network, change_alphabet, cost
from ocrkit.recognition.preprocess import HEIGHT


@pytest.mark.parametrize("size", SIZES)
def test_counted_parameters_are_those_of_the_network(size, alphabet):
    network = build_network(size, alphabet)
    norms = [layer for layer in network.layers if layer.name.endswith("_norm")]
    folded = sum(3 * layer.get_weights()[0].size for layer in norms)  # only the bias is left of four vectors
    assert network.count_params() - folded == cost(size, alphabet.classes).parameters


def test_sizes_keep_their_promises():
    assert cost("fast", 170).parameters <= 2e6
    assert cost("fast", 170).macs <= 0.06e9
    assert cost("accurate", 170).parameters <= 8e6
    assert cost("accurate", 170).macs <= 0.7e9


def test_the_table_of_sizes_says_what_each_costs(monkeypatch):
    monkeypatch.setattr(size_table, "SIZES", {"nano": SIZES["nano"]})
    (row,) = size_table.network_table()
    assert (row.size, row.cost) == ("nano", cost("nano", Alphabet().classes))
    assert row.ms_per_word > 0


@pytest.mark.parametrize("width", [32, 128])
def test_one_time_step_every_stride(width, alphabet):
    logits = build_network("nano", alphabet).predict_on_batch(np.zeros((2, HEIGHT, width), np.uint8))
    assert logits.shape == (2, width // STRIDE_PX, alphabet.classes)


def test_unknown_size_is_refused(alphabet):
    with pytest.raises(BadParams, match="nano, fast, accurate"):
        build_network("huge", alphabet)


# --- another alphabet ---


@pytest.fixture(scope="module")
def network(alphabet):
    return build_network("nano", alphabet)


@pytest.mark.parametrize("how", ["fail", "union"])
def test_an_alphabet_the_network_knows_changes_nothing(network, alphabet, how):
    assert change_alphabet(network, alphabet, Alphabet("2ab"), how) == (network, alphabet)


def test_missing_characters_are_named(network, alphabet):
    with pytest.raises(BadModel, match="does not know 'ßé'"):
        change_alphabet(network, alphabet, Alphabet("abßé"), "fail")


@pytest.mark.parametrize(("how", "characters"), [("union", "abcDEF012éß"), ("new", "ßb2é")])
def test_what_both_alphabets_have_is_read_as_before(network, alphabet, how, characters):
    changed, its = change_alphabet(network, alphabet, Alphabet("ßb2é"), how)
    assert sorted(its.characters) == sorted(characters)
    pictures = np.random.default_rng(0).integers(0, 256, (2, HEIGHT, 64), np.uint8)
    before, after = (np.asarray(net.predict_on_batch(pictures)) for net in (network, changed))
    assert after.shape[-1] == its.classes
    assert np.allclose(after[..., 0], before[..., 0], atol=1e-6)  # the blank
    for character in set(characters) & set(alphabet.characters):
        ((new,), (old,)) = its.encode(character), alphabet.encode(character)
        assert np.allclose(after[..., new], before[..., old], atol=1e-6)


# --- both backends ---

_BOTH = """
import json, sys
import numpy as np
from ocrkit.alphabet import Alphabet
from ocrkit.recognition.network import build_network
from ocrkit.learning.trainer import ctc_loss
from keras import ops
network = build_network("nano", Alphabet("abcDEF012"))
network.load_weights(sys.argv[1])
pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 64), np.uint8)
logits = np.asarray(network(pictures))
labels = np.array([[1, 2, 2], [3, 0, 0], [0, 0, 0]], np.int32)
loss = ctc_loss(ops.convert_to_tensor(labels), ops.convert_to_tensor(logits))
print(json.dumps({"logits": logits.tolist(), "loss": np.asarray(loss).tolist()}))
"""


def test_tensorflow_and_jax_give_the_same_logits_and_losses(tmp_path, alphabet):
    pytest.importorskip("jax")
    build_network("nano", alphabet).save_weights(tmp_path / "w.weights.h5")
    results = []
    for backend in ("tensorflow", "jax"):
        environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
        done = subprocess.run(
            [sys.executable, "-c", _BOTH, str(tmp_path / "w.weights.h5")],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        results.append(json.loads(done.stdout.splitlines()[-1]))
    assert np.allclose(results[0]["logits"], results[1]["logits"], atol=1e-4)
    assert np.allclose(results[0]["loss"], results[1]["loss"], rtol=1e-4)
    assert np.isfinite(results[0]["loss"]).all()
