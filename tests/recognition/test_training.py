import dataclasses
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from ocrkit.datasets.sample import Sample
from ocrkit.errors import BadDataset, BadModel, TrainingFailed
from ocrkit.recognition.preprocess import WIDTHS
from ocrkit.recognition.training import Trainer, TrainOptions, endless, one_cycle, round_batches, word_accuracy

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


_TRAIN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import draw
from ocrkit.alphabet import Alphabet
from ocrkit.datasets.sample import Sample
from ocrkit.recognition.training import Trainer, TrainOptions, endless
samples = [Sample(draw(t), t) for t in ("abc", "DEF", "012", "a1", "F0")]
options = TrainOptions(size="nano", words=160, round_words=32, batch_size=8, validate_every=9)
trainer = Trainer(endless(samples, 1), samples, options, Path(sys.argv[1]), Alphabet("abcDEF012"))
trainer.resume()
trainer.run(lambda progress: print(progress.words, flush=True))
print("sum", repr([float(abs(w).sum()) for w in trainer.network.get_weights()]), flush=True)
"""


def test_killed_in_mid_training_and_resumed_it_ends_the_same(tmp_path):
    def start(folder):
        command = [sys.executable, "-c", _TRAIN, str(tmp_path / folder), os.path.dirname(__file__)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    unbroken, _ = start("unbroken").communicate(timeout=240)
    victim = start("killed")
    assert victim.stdout.readline().strip() == "32"
    time.sleep(0.05)  # somewhere in the next round
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    resumed, _ = start("killed").communicate(timeout=240)
    assert unbroken.splitlines()[-1].startswith("sum")
    assert resumed.splitlines()[-1] == unbroken.splitlines()[-1]
    assert "32" not in resumed.splitlines()


def test_a_state_of_other_options_is_not_taken_up(samples, tmp_path, alphabet):
    trainer(samples, tmp_path, alphabet).run(until=32)
    with pytest.raises(BadModel, match="another batch_size"):
        trainer(samples, tmp_path, alphabet, batch_size=4).resume()
    assert trainer(samples, tmp_path, alphabet, words=960).resume()  # going on for longer is fine


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


def test_batches_of_a_width_have_one_shape_and_lose_no_sample(samples, alphabet):
    made = round_batches(samples, alphabet, 8, "seed")
    for batch in made:
        rows, _, width = batch.pictures.shape
        assert width in WIDTHS
        assert rows == max(1, 8 * 128 // width)
        assert batch.labels.shape[0] == rows
    texts = {alphabet.decode(row) for batch in made for row in batch.labels}
    assert texts == {sample.text for sample in samples}
    again = round_batches(samples, alphabet, 8, "seed")
    assert all(np.array_equal(a.pictures, b.pictures) for a, b in zip(made, again))


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
