import json
import os
import subprocess
import sys

import numpy as np
import pytest

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadModel, BadParams
from ocrkit.learning import size_table
from ocrkit.recognition.network import SIZES, STRIDE_PX, build_network, change_alphabet, change_size, cost
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
    with pytest.raises(BadParams, match="nano, lean, fast, deep, mix, res1x128, accurate"):
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
    ((added,),) = (its.encode("ß"),)
    assert np.allclose(after[..., added], before.mean(-1), atol=1e-5)


# --- another size ---


def test_another_size_keeps_the_layers_that_both_have(alphabet):
    fast = build_network("fast", alphabet)
    fast.set_weights([w + 0.1 for w in fast.get_weights()])
    mix = change_size(fast, alphabet, "mix")
    assert mix.name == "mix"
    for name in ("conv1", "conv4_norm", "column", "lstm1", "logits"):
        for ours, theirs in zip(mix.get_layer(name).get_weights(), fast.get_layer(name).get_weights(), strict=True):
            assert np.array_equal(ours, theirs)


def test_new_blocks_change_nothing_until_they_are_trained(alphabet):
    from keras import Model

    mix = build_network("mix", alphabet)
    *_, last = (layer for layer in mix.layers if layer.output.shape[1:] == (1, None, 128))
    assert last.name.startswith("add")
    column = mix.get_layer("column_norm").output
    ends = Model(mix.input, [mix.get_layer("block1_depth").input, last.output])
    first, end = ends.predict_on_batch(np.random.default_rng(0).integers(0, 256, (2, HEIGHT, 64), np.uint8))
    assert column.shape == last.output.shape
    assert first.any()
    assert np.array_equal(first, end)


# --- fused kernels ---


@pytest.mark.parametrize("size", ["nano", "lean", "deep", "mix", "res1x128"])
def test_fused_kernels_have_the_outputs_moments_and_gradients_of_keras(size, alphabet):
    """Keras's LSTM is differentiated step by step; `BlockLSTMV2`, whose gradient is wrong, would fail here."""
    tf = pytest.importorskip("tensorflow")
    import keras

    keras.utils.set_random_seed(0)  # a start may have a value so near 0 that ReLU lets it pass in one of them alone
    rng = np.random.default_rng(0)
    plain, fused = build_network(size, alphabet), build_network(size, alphabet, fused=True)
    weights = [w + np.abs(rng.normal(0, 0.05, w.shape)).astype("f") for w in plain.get_weights()]
    for network in (plain, fused):
        network.set_weights(weights)
    pictures = rng.integers(0, 256, (3, HEIGHT, 64), np.uint8)
    pull = rng.normal(size=(3, 64 // STRIDE_PX, alphabet.classes)).astype("f")
    gradients = []
    for network in (plain, fused):
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(network(pictures, training=True) * pull)
        gradients.append(tape.gradient(value, [variable.value for variable in network.trainable_variables]))
    for variable, ours, theirs in zip(plain.trainable_variables, *gradients, strict=True):
        scale = np.abs(ours).max() + 1e-3
        assert np.allclose(ours, theirs, atol=1e-4 * scale), variable.path
    for ours, theirs in zip(plain.get_weights(), fused.get_weights(), strict=True):
        assert np.allclose(ours, theirs, rtol=2e-2, atol=1e-5)  # a batch's variance, over n or over n - 1
    assert np.allclose(plain(pictures), fused(pictures), atol=1e-2)


def test_fused_adamw_takes_the_steps_of_keras():
    pytest.importorskip("tensorflow")
    import keras

    from ocrkit.recognition.fused import FusedAdamW

    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype("f") for shape in ((3, 4), (4,))]
    gradients = [[rng.normal(size=w.shape).astype("f") for w in start] for _ in range(5)]
    results = []
    for kind in (keras.optimizers.AdamW, FusedAdamW):
        variables = [keras.Variable(w, name=name) for w, name in zip(start, ("kernel", "bias"))]
        optimizer = kind(0.1, weight_decay=0.05, global_clipnorm=1.0, beta_2=0.99)
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.build(variables)
        for step in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(g) for g in step], variables)
        results.append([np.asarray(v) for v in (*variables, *optimizer.variables)])
    for ours, theirs in zip(*results, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert not np.allclose(results[0][0], start[0], atol=0.1)


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
