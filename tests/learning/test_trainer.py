import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ocrkit import strict
from ocrkit.datasets.sample import Sample
from ocrkit.errors import BadDataset, BadModel, BadParams, TrainingFailed
from ocrkit.learning.trainer import (
    FINE_WIDTHS,
    Progress,
    Trainer,
    TrainOptions,
    batch_rows,
    ctc_loss,
    endless,
    limited,
    one_cycle,
    round_batches,
    validations_without_gain,
    word_accuracy,
)
from ocrkit.recognition.preprocess import WIDTHS

TESTS = Path(__file__).resolve().parents[1]
OPTIONS = TrainOptions(size="nano", words=96, round_words=32, batch_size=8, validate_every=1, warm_up=0.2)


def trainer(samples, folder, alphabet, **changes):
    return Trainer(endless(samples, 1), samples[:8], dataclasses.replace(OPTIONS, **changes), folder, alphabet)


def test_a_few_words_are_learnt_by_heart(samples, tmp_path, alphabet):
    few = samples[:12]
    training = trainer(few, tmp_path, alphabet, words=6000, round_words=1500, learning_rate=5e-3, ema=0.98)
    history = training.run()
    assert history[-1].loss < history[0].loss / 5
    assert word_accuracy(training.finished(), alphabet, few) > 0.7


def test_resumed_training_gives_the_weights_of_an_unbroken_one(samples, tmp_path, alphabet):
    whole = trainer(samples, tmp_path / "whole", alphabet)
    whole.run()
    trainer(samples, tmp_path / "parts", alphabet).run(until=32)
    resumed = trainer(samples, tmp_path / "parts", alphabet)
    assert resumed.resume()
    assert resumed.words == 32
    resumed.run()
    for a, b in zip(whole.network.get_weights(), resumed.network.get_weights()):
        assert np.array_equal(a, b)
    assert [p.loss for p in whole.history] == [p.loss for p in resumed.history]


def test_a_loss_above_the_limit_teaches_less_and_one_below_it_as_before():
    tf = pytest.importorskip("tensorflow")
    logits = tf.Variable(np.random.default_rng(0).normal(0, 3, (2, 9, 5)).astype("f"))
    labels = np.array([[1, 2, 0], [3, 1, 4]], np.int32)

    def gradients(loss):
        with tf.GradientTape() as tape:
            rows = loss(labels, logits)
            whole = tf.reduce_sum(rows)
        return rows.numpy(), tape.gradient(whole, logits).numpy()

    plain, slopes = gradients(ctc_loss)
    limit = float(plain.mean())  # between the two rows
    low, high = np.argsort(plain)
    bounded, lessened = gradients(limited(limit))
    assert bounded[low] == plain[low]
    assert np.array_equal(lessened[low], slopes[low])
    assert bounded[high] == pytest.approx(limit * (2 - limit / plain[high]))
    assert np.allclose(lessened[high], slopes[high] * (limit / plain[high]) ** 2, rtol=1e-4)
    assert limited(0.0) is ctc_loss


_TRAIN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import draw
from ocrkit.alphabet import Alphabet
from ocrkit.datasets.sample import Sample
from ocrkit.learning.trainer import Trainer, TrainOptions, endless
samples = [Sample(draw(t), t) for t in ("abc", "DEF", "012", "a1", "F0")]
options = TrainOptions(size="nano", words=160, round_words=32, batch_size=8, validate_every=9)
trainer = Trainer(endless(samples, 1), samples, options, Path(sys.argv[1]), Alphabet("abcDEF012"))
trainer.resume()
trainer.run(lambda progress: print(progress.words, flush=True))
print("sum", repr([float(abs(w).sum()) for w in trainer.network.get_weights()]), flush=True)
"""


def test_killed_in_mid_training_and_resumed_it_ends_the_same(tmp_path):
    def start(folder):
        command = [sys.executable, "-c", _TRAIN, str(tmp_path / folder), str(TESTS)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    unbroken, _ = start("unbroken").communicate()
    victim = start("killed")
    assert victim.stdout.readline().strip() == "32"
    time.sleep(0.05)  # somewhere in the next round
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    resumed, _ = start("killed").communicate()
    assert unbroken.splitlines()[-1].startswith("sum")
    assert resumed.splitlines()[-1] == unbroken.splitlines()[-1]
    assert "32" not in resumed.splitlines()


def test_a_state_of_other_options_is_not_taken_up(samples, tmp_path, alphabet):
    trainer(samples, tmp_path, alphabet).run(until=32)
    with pytest.raises(BadModel, match="another batch_size"):
        trainer(samples, tmp_path, alphabet, batch_size=4).resume()
    # Going on for longer is fine, and so is what a loss that is no number asks for.
    assert trainer(samples, tmp_path, alphabet, words=960, learning_rate=1e-4).resume()


def test_keras_and_fused_kernels_learn_alike(samples, tmp_path, alphabet, monkeypatch):
    monkeypatch.setattr("ocrkit.learning.trainer.FINE_WIDTHS", WIDTHS)  # for the same batches
    few = [sample for sample in samples if len(sample.text) == 2]
    losses = []
    for fused in (True, False):
        training = trainer(few, tmp_path / str(fused), alphabet, words=48, round_words=24, fused=fused)
        names = [type(layer).__name__ for layer in training.network.layers]
        assert ("FusedBatchNormalization" in names) == fused
        losses.append([progress.loss for progress in training.run()])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


# --- half precision ---


_HALF = """
import sys
from pathlib import Path
import numpy as np
precision, folder, tests = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
sys.path.insert(0, tests)
from conftest import draw
from ocrkit.alphabet import Alphabet
from ocrkit.datasets.sample import Sample
from ocrkit.learning.trainer import Trainer, TrainOptions, endless
from ocrkit.recognition.model import read_card, save_network
samples = [Sample(draw(t), t) for t in ("ab", "cD", "E0", "12")]  # of one bucket, which needs one graph only
options = TrainOptions(
    size="nano", words=96, round_words=32, batch_size=8, validate_every=1, warm_up=0.2, precision=precision
)
training = Trainer(endless(samples, 1), samples, options, folder, Alphabet("abcDEF012"))
assert training.network.get_layer("conv2").compute_dtype == precision.removeprefix("mixed_")
assert training.network.get_layer("logits").compute_dtype == "float32"
assert {weight.dtype for weight in training.network.weights} == {"float32"}
assert all(np.isfinite(progress.loss) for progress in training.run())
scale_and_moments = [np.asarray(variable) for variable in training.optimizer.variables]
assert training.resume()  # the scale of the loss is part of the state
for before, after in zip(scale_and_moments, training.optimizer.variables, strict=True):
    assert np.array_equal(before, np.asarray(after))
finished = training.finished()
assert finished.get_layer("conv2").compute_dtype == "float32"
saved = save_network(finished, training.alphabet, folder / "model", {})
assert read_card(saved)["export_parity"] < 1e-4
"""


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_finite_and_ends_with_a_float32_network(precision, tmp_path):
    """In a process of its own, in which no test before has asked for strict mode."""
    environment = {name: value for name, value in os.environ.items() if name not in strict.environment()}
    command = [sys.executable, "-c", _HALF, precision, str(tmp_path), str(TESTS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_strict_mode_refuses_half_precision_which_would_end_the_process(samples, tmp_path, alphabet, monkeypatch):
    monkeypatch.setenv(strict.VARIABLE, "1")
    with pytest.raises(BadParams, match="keeps to AVX2, which does not compute in half precision"):
        trainer(samples, tmp_path, alphabet, precision="mixed_bfloat16")


_JAX = """
import sys, tempfile
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[1])
from conftest import draw
import keras
from ocrkit.alphabet import Alphabet
from ocrkit.datasets.sample import Sample
from ocrkit.learning import trainer as training
from ocrkit.recognition.model import save_network
assert len(keras.distribution.list_devices()) == 2
samples = [Sample(draw(t), t) for t in ("ab", "cD", "E0", "12")]

def losses(precision="float32"):
    options = training.TrainOptions(
        size="nano", words=384, round_words=128, batch_size=32, validate_every=3, precision=precision
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = training.Trainer(
            training.endless(samples, 1), samples, options, Path(folder), Alphabet("abcDEF012")
        )
        seen = [progress.loss for progress in trainer.run()]
        kernel = trainer.network.get_layer("conv2").kernel.value
        save_network(trainer.finished(), trainer.alphabet, Path(folder) / "model", {})
        return len(kernel.sharding.device_set), *seen

for precision in ("float32", "mixed_float16", "mixed_bfloat16"):
    print(*losses(precision))
training._distribution = lambda batch_size: None
print(*losses())
"""


def test_two_devices_give_the_losses_of_one_and_half_precision_works_on_jax_too():
    pytest.importorskip("jax")
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
    }
    command = [sys.executable, "-c", _JAX, str(TESTS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    two, half, brain, one = (list(map(float, line.split())) for line in done.stdout.splitlines()[-4:])
    assert (two[0], one[0]) == (2, 1)
    assert np.allclose(two[1:], one[1:], rtol=0.02)
    assert np.isfinite([half, brain]).all()


# --- early stopping ---


@pytest.mark.parametrize(
    ("swas", "without_gain"),
    [
        ([], 0),
        ([None, None], 0),
        ([0.0], 0),
        ([0.1, None, 0.2], 0),
        ([0.2, None, 0.2, 0.1], 2),  # the same again is no gain
        ([0.2, 0.1, 0.3, 0.2], 1),
    ],
)
def test_validations_without_gain_are_counted_from_the_best(swas, without_gain):
    assert validations_without_gain([Progress(1, 1.0, 1.0, 1.0, swa) for swa in swas]) == without_gain


@pytest.fixture(scope="module")
def narrow(samples) -> list[Sample]:
    """Words of one bucket, which need one graph only."""
    return [sample for sample in samples if len(sample.text) == 2]


def test_training_ends_when_patience_does_also_when_resumed(narrow, tmp_path, alphabet, monkeypatch):
    monkeypatch.setattr(Trainer, "validate", lambda self: [0.1, 0.4, 0.3, 0.4, 0.9][self.round - 1])
    options = {"words": 80, "round_words": 8, "patience": 2}
    trainer(narrow, tmp_path, alphabet, **options).run(until=24)
    resumed = trainer(narrow, tmp_path, alphabet, **options)
    assert resumed.resume()
    assert [progress.swa for progress in resumed.run()] == [0.1, 0.4, 0.3, 0.4]
    assert (resumed.best, resumed.words) == (0.4, 32)


def test_a_damaged_checkpoint_is_named(samples, tmp_path, alphabet):
    (tmp_path / "state.npz").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(BadModel, match=r"state\.npz"):
        trainer(samples, tmp_path, alphabet).resume()


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint(samples, tmp_path, alphabet):
    training = trainer(samples, tmp_path, alphabet)
    training.run(until=32)
    before = (tmp_path / "state.npz").read_bytes()
    training.network.set_weights([w * np.nan for w in training.network.get_weights()])
    with pytest.raises(TrainingFailed, match="lower learning rate"):
        training.run()
    assert (tmp_path / "state.npz").read_bytes() == before


@pytest.mark.parametrize("widths", [WIDTHS, FINE_WIDTHS])
def test_batches_of_a_width_have_one_shape_and_lose_no_sample(samples, alphabet, widths):
    made = round_batches(samples, alphabet, 8, "seed", widths)
    for batch in made:
        rows, _, width = batch.pictures.shape
        assert width in widths
        assert rows == batch_rows(8, width)
        assert batch.labels.shape[0] == rows
    texts = {alphabet.decode(row) for batch in made for row in batch.labels}
    assert texts == {sample.text for sample in samples}
    again = round_batches(samples, alphabet, 8, "seed", widths)
    assert all(np.array_equal(a.pictures, b.pictures) for a, b in zip(made, again))


@pytest.mark.parametrize("batch_size", [1, 8, 32, 64, 100])
def test_batches_have_as_many_pixels_as_asked_and_can_be_shared(batch_size):
    for width in FINE_WIDTHS:
        rows = batch_rows(batch_size, width)
        assert rows >= 1
        assert rows < 8 or rows % 8 == 0
        assert rows * width <= max(batch_size * 128, width)


def test_text_that_cannot_fit_its_time_steps_is_left_out(alphabet):
    crop = np.full((32, 32), 255, np.uint8)  # eight time steps
    made = round_batches([Sample(crop, "abcDEF01"), Sample(crop, "aaaaa")], alphabet, 4, "s")
    texts = {alphabet.decode(row) for batch in made for row in batch.labels}
    assert texts == {"abcDEF01"}  # five equal letters need nine steps


def test_nothing_to_train_on_is_said(alphabet, tmp_path):
    with pytest.raises(BadDataset, match="no sample"):
        endless([], 1)
    crop = np.full((32, 32), 255, np.uint8)
    with pytest.raises(BadDataset, match="nothing the network could be trained on"):
        trainer([Sample(crop, "aaaaaaa")], tmp_path, alphabet).run()


def test_the_learning_rate_rises_then_falls():
    options = TrainOptions(learning_rate=1.0, warm_up=0.1)
    rates = [one_cycle(share, options) for share in (0.0, 0.05, 0.1, 0.5, 1.0)]
    assert rates[0] < rates[1] < rates[2] == pytest.approx(1.0)
    assert rates[2] > rates[3] > rates[4] > 0


def test_an_endless_source_gives_the_same_items_wherever_it_is_entered(samples):
    source = endless(samples, 5)
    straight = list(source(0, 100))
    assert [s.text for s in source(37, 100)] == [s.text for s in straight[37:]]
    assert sorted(s.text for s in straight[:40]) == sorted(s.text for s in samples)
