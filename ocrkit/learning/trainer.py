"""Training the Word Deep Net: rounds of samples, bucketed batches, one-cycle learning rate, exact resume."""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Annotated, Any
from zipfile import BadZipFile

import numpy as np

from ocrkit import strict
from ocrkit.alphabet import Alphabet, time_steps_needed
from ocrkit.datasets.sample import Sample
from ocrkit.document import Image
from ocrkit.errors import BadDataset, BadModel, BadParams, TrainingFailed
from ocrkit.files import make_folder, whole_file
from ocrkit.recognition.decode import greedy_texts
from ocrkit.recognition.network import STRIDE_PX, Precision, build_network
from ocrkit.recognition.preprocess import BATCH_PX, HEIGHT, WIDTHS, batches, bucket_of, fit, pad
from ocrkit.values import Count, NotNegative, Positive, Share, Whole, Within

_LOGGER = logging.getLogger(__name__)
_READ_PX = 8 * BATCH_PX  # width of a batch's pictures in validation: each call of a network in Keras costs

Source = Callable[[int, int], Iterator[Sample]]  # items start..stop-1, the same whenever asked


@dataclass(frozen=True)
class TrainOptions:
    """How a network is trained.

    Attributes:
        size: of the network; see `ocrkit.recognition.network.SIZES`.
        words: samples seen in all.
        batch_size: of crops 128 px wide; narrower crops make larger batches, wider ones smaller.
        learning_rate: at its peak.
        warm_up: share of the training in which the rate rises.
        weight_decay: of AdamW.
        clip_norm: largest global norm of the gradient.
        loss_limit: nats; see `limited`. 0 for none.
        ema: decay a step of the averaged weights that are validated and saved; 0 for none.
        round_words: samples a round; batches are formed within a round, checkpoints and validations follow one.
        validate_every: rounds between validations.
        seed: of weights and of the batches' order.
        precision: in which the layers compute; half precision is for GPUs that are fast at it.
        patience: validations without a gain after which the training ends early; 0 for never.
        frozen: the convolutions stay as they are.
        fused: by TensorFlow's fused kernels (`ocrkit.recognition.fused`), where that is the backend, in float32 and
            without a GPU, whose own kernels are faster; otherwise by Keras's layers and optimiser. Batches then come in
            more widths, with less paper behind their words.
    """

    size: str = "nano"
    words: Count = 100_000
    batch_size: Count = 64
    learning_rate: Positive = 2e-3
    warm_up: Share = 0.08
    weight_decay: NotNegative = 1e-4
    clip_norm: Positive = 5.0
    loss_limit: NotNegative = 0.0
    ema: Annotated[float, Within(ge=0, lt=1)] = 0.999
    round_words: Count = 8192
    validate_every: Count = 2
    seed: int = 7
    precision: Precision = "float32"
    patience: Whole = 0
    frozen: bool = False
    fused: bool = True


# What may change when a training is resumed: how long it lasts, and the rate, after one that was too high.
_FREE = ("words", "patience", "learning_rate")


@dataclass(frozen=True)
class Progress:
    """The state of a training after a round; `swa` is `None` where it was not validated, `time` in s since 1970."""

    words: int
    loss: float
    learning_rate: float
    words_per_second: float
    swa: float | None
    time: float = 0.0


@dataclass(frozen=True, eq=False)
class TrainBatch:
    """Pictures of one width `uint8` `(N, HEIGHT, width)` and their labels `int32` `(N, L)`, filled with blanks."""

    pictures: np.ndarray
    labels: np.ndarray


# Invented words fill these to 0.90, `WIDTHS` to 0.84; for kernels that need no graph for each shape.
FINE_WIDTHS = (*range(32, 192, 16), 192, 224, 256, 320, 384, 512)
_LONGEST_LABEL = 48  # what a net can be taught to emit; text that long does not fit one line of a crop anyway


def batch_rows(batch_size: int, width: int) -> int:
    """Crops in a batch of the bucket `width`: about as many pixels as `batch_size` crops of 128 px have.

    Where it is eight or more it is a multiple of eight, so that several devices can share each batch evenly.
    """
    rows = max(1, batch_size * 128 // width)
    return rows if rows < 8 else rows // 8 * 8


def round_batches(
    samples: Sequence[Sample], alphabet: Alphabet, batch_size: int, seed: str, widths: Sequence[int] = WIDTHS
) -> list[TrainBatch]:
    """Samples as batches of equal shape a bucket, in random order.

    What does not fill a batch goes into the next wider bucket; the last batch of all is filled up with samples it
    already holds, so that every batch of a width has the same shape.

    Samples whose text does not fit the time steps of their picture are left out: their loss would be infinite.
    """
    r = Random(seed)
    ready: dict[int, list[tuple[Image, str]]] = {width: [] for width in widths}
    for sample in samples:
        picture = fit(sample.image)
        bucket = bucket_of(picture.shape[1], widths)
        if time_steps_needed(sample.text) <= bucket // STRIDE_PX and len(sample.text) <= _LONGEST_LABEL:
            ready[bucket].append((picture, sample.text))
    made: list[TrainBatch] = []
    carried: list[tuple[Image, str]] = []
    for width in widths:
        pool = carried + ready[width]
        r.shuffle(pool)
        size = batch_rows(batch_size, width)
        whole = len(pool) // size * size
        groups = [pool[start : start + size] for start in range(0, whole, size)]
        carried = pool[whole:]
        if width == widths[-1] and carried:
            groups.append((carried * (size // len(carried) + 1))[:size])
        for group in groups:
            pictures = np.empty((size, HEIGHT, width), np.uint8)
            for out, (picture, _) in zip(pictures, group):
                pad(picture, width, out)
            # Labels are as wide as the bucket allows, not as the batch needs: a width then has one shape.
            longest = min(width // STRIDE_PX, _LONGEST_LABEL)
            made.append(TrainBatch(pictures, alphabet.encode_batch([text for _, text in group], longest)))
    r.shuffle(made)
    return made


def one_cycle(share: float, options: TrainOptions) -> float:
    """Learning rate after `share` (0 to 1) of the training: linear rise, cosine fall to a thousandth of the peak."""
    if share < options.warm_up:
        return options.learning_rate * (0.04 + 0.96 * share / options.warm_up)
    fallen = (share - options.warm_up) / (1 - options.warm_up)
    return options.learning_rate * (0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * min(1.0, fallen))))


def ctc_loss(labels: Any, logits: Any) -> Any:
    """CTC's negative log likelihood a row, `(N,)`; class 0 is blank and fills the labels `(N, L)` up.

    On TensorFlow the sparse form is asked for: its kernel is about four times as fast on CPUs as the dense one that
    Keras chooses, and gives the same values.
    """
    import keras
    from keras import ops

    labels = ops.cast(labels, "int32")
    lengths = ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), -1)
    steps = ops.full((ops.shape(logits)[0],), ops.shape(logits)[1], dtype="int32")
    if keras.backend.backend() != "tensorflow":
        return ops.ctc_loss(labels, logits, lengths, steps, mask_index=0)

    import tensorflow as tf

    # The sparse kernel refuses empty labels: they get a stand-in, and the loss of all blanks in its place.
    empty = ops.equal(lengths, 0)
    stand_in = ops.concatenate([ops.where(empty[:, None], 1, labels[:, :1]), labels[:, 1:]], 1)
    loss = tf.nn.ctc_loss(tf.sparse.from_dense(stand_in), logits, None, steps, logits_time_major=False, blank_index=0)
    return ops.where(empty, -ops.sum(ops.log_softmax(logits)[..., 0], -1), loss)


def limited(limit: float) -> Callable[[Any, Any], Any]:
    """`ctc_loss`, of which a row's gradient falls with the square of what it is above `limit`, in nats; 0 for none.

    So words that nobody can read, or whose labels are wrong, do not outweigh all those that can be learnt from: a
    twentieth of 1,000 invented words had 55 % of a trained network's loss. A row's loss stays below twice the limit.
    """
    if not limit:
        return ctc_loss

    def loss_of(labels: Any, logits: Any) -> Any:
        from keras import ops

        loss = ctc_loss(labels, logits)
        return ops.where(loss < limit, loss, limit * (2 - limit / ops.maximum(loss, limit)))

    return loss_of


def read_all(network: Any, alphabet: Alphabet, crops: Sequence[Image]) -> list[str]:
    """What the Keras network reads in `crops`, in their order."""
    texts = [""] * len(crops)
    for batch in batches(crops, _READ_PX):
        for row, text in zip(batch.rows, greedy_texts(np.asarray(network.predict_on_batch(batch.pictures)), alphabet)):
            texts[row] = text
    return texts


def word_accuracy(network: Any, alphabet: Alphabet, samples: Sequence[Sample]) -> float:
    """Share of samples read exactly right (SWA)."""
    texts = read_all(network, alphabet, [sample.image for sample in samples])
    return sum(text == sample.text for text, sample in zip(texts, samples)) / max(1, len(samples))


def validations_without_gain(history: Sequence[Progress]) -> int:
    """How many validations there were since the best one."""
    swas = [progress.swa for progress in history if progress.swa is not None]
    return len(swas) - 1 - swas.index(max(swas)) if swas else 0


class Trainer:
    """Trains one network; its state lives in a folder and can be taken up again at the last finished round.

    Args:
        source: samples by number; see `Source`.
        validation: samples never trained on.
        options: see `TrainOptions`.
        folder: for checkpoints.
        alphabet: of the labels.
        network: to go on from (a fresh start of the optimiser, `--load`); a new one where `None`.

    On a CPU, a training resumed after a kill gives the same weights as an unbroken one, and in strict mode
    (`ocrkit.strict`) those of any other CPU with AVX2. On JAX all devices that can share each batch evenly are used
    (Keras's `DataParallel`); on TensorFlow the first.

    Raises:
        BadParams: half precision in strict mode, with TensorFlow.
    """

    def __init__(
        self,
        source: Source,
        validation: Sequence[Sample],
        options: TrainOptions,
        folder: Path,
        alphabet: Alphabet | None = None,
        network: Any = None,
    ) -> None:
        import keras

        keras.utils.set_random_seed(options.seed)
        fused, adamw = False, keras.optimizers.AdamW
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            if strict.is_on() and options.precision != "float32":  # oneDNN would end the process
                raise BadParams(
                    f"Strict mode ({strict.VARIABLE}=1) keeps to AVX2, which does not compute in half precision: train "
                    "in float32, or without it."
                )
            tf.config.experimental.enable_op_determinism()
            on_gpu = tf.config.list_physical_devices("GPU") or options.precision != "float32"
            fused = options.fused and not on_gpu
        if fused:
            from ocrkit.recognition.fused import FusedAdamW as adamw
        self._widths = FINE_WIDTHS if fused else WIDTHS
        if strict.is_on() and (options.frozen or not fused):
            _LOGGER.warning(
                "Strict mode holds where all layers are trained by TensorFlow's fused kernels, in float32 on a CPU: "
                "another machine may come to other weights than this one."
            )
        self.source, self.validation, self.options, self.folder = source, validation, options, folder
        self.alphabet = alphabet or Alphabet()
        # What is validated and handed out, in float32 on one device; what is trained starts as its copy.
        self._plain = network or build_network(options.size, self.alphabet)
        self._distribution = _distribution(options.batch_size)
        with self._on_devices():
            self.network = build_network(self._plain.name, self.alphabet, options.precision, fused)
            self.network.set_weights(self._plain.get_weights())
            for layer in self.network.layers:
                layer.trainable = not (options.frozen and layer.name.startswith(("conv", "column", "block")))
            self.optimizer = adamw(
                options.learning_rate, weight_decay=options.weight_decay, global_clipnorm=options.clip_norm, beta_2=0.99
            )
            self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
            if options.precision == "mixed_float16":
                # Its small gradients would become zero.
                self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
            loss = limited(options.loss_limit)
            self.network.compile(self.optimizer, loss, jit_compile=keras.backend.backend() == "jax")
            self.optimizer.build(self.network.trainable_variables)
        if keras.backend.backend() == "tensorflow":
            self._trace()
        self.words = self.round = self.step = 0
        self.best = -1.0
        self.history: list[Progress] = []
        self._average = self.network.get_weights()

    def _on_devices(self) -> AbstractContextManager[Any]:
        return self._distribution.scope() if self._distribution else nullcontext()

    def _trace(self) -> None:
        """Let TensorFlow meet two shapes, upon which it builds one graph for all; then undo what they taught.

        Without it the graphs, and with them the last bits of every sum, would depend on which shapes came first, and
        a resumed training would drift from an unbroken one.
        """
        before = self.network.get_weights(), [np.asarray(variable) for variable in self.optimizer.variables]
        for rows, width in ((2, WIDTHS[0]), (3, WIDTHS[1])):
            self.network.train_on_batch(
                np.zeros((rows, HEIGHT, width), np.uint8), np.ones((rows, width // 8), np.int32)
            )
        self._restore(*before)

    def _restore(self, weights: list[np.ndarray], optimizer: list[np.ndarray]) -> None:
        self.network.set_weights(weights)
        for variable, value in zip(self.optimizer.variables, optimizer):
            variable.assign(value)

    # --- running ---

    def run(
        self,
        report: Callable[[Progress], None] = lambda progress: None,
        until: int | None = None,
        on_batch: Callable[[int, float], None] = lambda words, loss: None,
    ) -> list[Progress]:
        """Train to the end, to about `until` words, or until `patience` is at an end; returns the history.

        Args:
            report: called after each round.
            until: stop after the round that reaches so many words.
            on_batch: called after each batch with the words seen so far and the batch's loss.

        Raises:
            TrainingFailed: the loss is no number; the last checkpoint stays as it was.
            BadDataset: the source gives nothing usable.
        """
        goal = min(self.options.words, until or self.options.words)
        # The next round's batches are formed while this one is trained on.
        with ThreadPoolExecutor(1) as pool:
            ahead = None
            while self.words < goal and not self.out_of_patience:
                started, stop = time.perf_counter(), self._stop(self.words)
                made = ahead.result() if ahead else self.batches(self.words, self.round)
                ahead = pool.submit(self.batches, stop, self.round + 1) if stop < goal else None
                progress = self._one_round(made, stop, started, on_batch)
                if progress.swa is not None and progress.swa > self.best:
                    self.best = progress.swa
                    _save_arrays(self.folder / "best.npz", {"weights": self.averaged()})
                self.history.append(progress)
                self.save()
                report(progress)
        return self.history

    @property
    def out_of_patience(self) -> bool:
        """Whether the last `patience` validations brought no gain."""
        return 0 < self.options.patience <= validations_without_gain(self.history)

    def _stop(self, start: int) -> int:
        return min(start + self.options.round_words, self.options.words)

    def batches(self, start: int, number: int) -> list[TrainBatch]:
        """The batches of round `number`, which begins with sample `start`.

        Raises:
            BadDataset: no sample in it can be trained on.
        """
        o, stop = self.options, self._stop(start)
        seed = f"{o.seed}/round/{number}"
        made = round_batches(list(self.source(start, stop)), self.alphabet, o.batch_size, seed, self._widths)
        if not made:
            raise BadDataset(f"Samples {start} to {stop} hold nothing the network could be trained on.")
        return made

    def train_on(self, batch: TrainBatch, learning_rate: float) -> float:
        """Take one step; returns the batch's loss."""
        self.optimizer.learning_rate.assign(learning_rate)
        with self._on_devices():
            return float(self.network.train_on_batch(batch.pictures, batch.labels))

    def _one_round(
        self, made: Sequence[TrainBatch], stop: int, started: float, on_batch: Callable[[int, float], None]
    ) -> Progress:
        o = self.options
        losses = []
        for number, batch in enumerate(made):
            seen = self.words + (stop - self.words) * number / len(made)
            rate = one_cycle(seen / o.words, o)
            losses.append(self.train_on(batch, rate))
            if not math.isfinite(losses[-1]):
                raise TrainingFailed(
                    f"The loss became {losses[-1]} at word {self.words:,} with a learning rate of {rate:.2g}; the last "
                    f"good checkpoint is in {self.folder}: resume with a lower learning rate."
                )
            self.step += 1
            self._update_average()
            on_batch(round(seen), losses[-1])
        speed = (stop - self.words) / (time.perf_counter() - started)
        self.words, self.round = stop, self.round + 1
        swa = None
        if self.round % o.validate_every == 0 or self.words >= o.words:
            swa = self.validate()
        return Progress(self.words, float(np.mean(losses)), rate, speed, swa, time.time())

    _EMA_EVERY = 8  # steps between updates of the average: it costs a copy of all weights

    def _update_average(self) -> None:
        if self.step % self._EMA_EVERY:
            return
        # Young averages follow quickly, so that the random start is soon forgotten.
        decay = min(self.options.ema, (1 + self.step) / (10 + self.step)) ** self._EMA_EVERY
        for mean, value in zip(self._average, self.network.get_weights()):
            np.multiply(mean, decay, out=mean)
            np.add(mean, (1 - decay) * value, out=mean)

    def averaged(self) -> list[np.ndarray]:
        """The weights to judge and ship: averaged where `ema` is on."""
        return self._average if self.options.ema else self.network.get_weights()

    def validate(self) -> float:
        """SWA of the averaged weights on the validation samples."""
        self._plain.set_weights(self.averaged())
        return word_accuracy(self._plain, self.alphabet, self.validation)

    def finished(self, best: bool = True) -> Any:
        """A float32 network with the best validated (or else latest averaged) weights."""
        path = self.folder / "best.npz"
        self._plain.set_weights(_load_arrays(path)["weights"] if best and path.exists() else self.averaged())
        return self._plain

    # --- state ---

    def save(self) -> None:
        """Write all state to the folder; a kill in between leaves the state before."""
        state = {
            "options": asdict(self.options),
            "words": self.words,
            "round": self.round,
            "step": self.step,
            "best": self.best,
            "history": [asdict(progress) for progress in self.history],
            "alphabet": self.alphabet.characters,
            "strict": strict.is_on(),
        }
        arrays = {
            "weights": self.network.get_weights(),
            "average": self._average,
            "optimizer": [np.asarray(variable) for variable in self.optimizer.variables],
        }
        _save_arrays(self.folder / "state.npz", arrays, json.dumps(state))

    def resume(self) -> bool:
        """Take up the state of the folder; False where there is none.

        Raises:
            BadModel: it is damaged, or of a training with other options; how long it lasts, the patience and the
                learning rate may change.
        """
        path = self.folder / "state.npz"
        if not path.exists():
            return False
        arrays = _load_arrays(path)
        state = json.loads(arrays.pop("state"))
        theirs = {**asdict(TrainOptions()), **state["options"], "alphabet": state["alphabet"]}
        ours = {**asdict(self.options), "alphabet": self.alphabet.characters}
        changed = [name for name in ours if ours[name] != theirs[name] and name not in _FREE]
        if changed:
            raise BadModel(
                f"{path} is of a training with another {', '.join(changed)}; start afresh in another folder."
            )
        if (before := state.get("strict", False)) != strict.is_on():
            _LOGGER.warning(
                "This training was begun %s strict mode (%s=1) and goes on %s it: its weights depend on the processor.",
                *(("in", strict.VARIABLE, "without") if before else ("without", strict.VARIABLE, "in")),
            )
        self._restore(arrays["weights"], arrays["optimizer"])
        self._average = arrays["average"]
        self.words, self.round, self.step, self.best = (state[key] for key in ("words", "round", "step", "best"))
        self.history = [Progress(**row) for row in state["history"]]
        return True


def _distribution(batch_size: int) -> Any:
    """Keras's data parallelism over as many devices as share batches of every width evenly; `None` for just one."""
    import keras

    if keras.backend.backend() != "jax":  # Keras has it for JAX alone
        return None
    devices = keras.distribution.list_devices()
    count = math.gcd(len(devices), *(batch_rows(batch_size, width) for width in WIDTHS))
    return keras.distribution.DataParallel(devices=devices[:count]) if count > 1 else None


def _save_arrays(path: Path, groups: dict[str, list[np.ndarray]], state: str = "") -> None:
    make_folder(path.parent)
    flat = {f"{group}/{i:04d}": array for group, arrays in groups.items() for i, array in enumerate(arrays)}
    with whole_file(path) as file:
        np.savez(file, allow_pickle=False, state=np.array(state), **flat)
        file.flush()
        os.fsync(file.fileno())


def _load_arrays(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            groups: dict[str, Any] = {"state": str(stored["state"])}
            for name in sorted(set(stored.files) - {"state"}):
                groups.setdefault(name.split("/")[0], []).append(stored[name])
            return groups
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise BadModel(f"{path} is not a checkpoint of ocrkit, or damaged: {error}.") from None


def endless(samples: Sequence[Sample], seed: int) -> Source:
    """A source that goes through `samples` again and again, each time in another order."""
    if not samples:
        raise BadDataset("There is no sample to train on.")

    def items(start: int, stop: int) -> Iterator[Sample]:
        def all_from(first_pass: int) -> Iterator[Sample]:
            number = first_pass
            while True:
                order = list(range(len(samples)))
                Random(f"{seed}/pass/{number}").shuffle(order)
                yield from (samples[i] for i in order)
                number += 1

        first = start // len(samples)
        skip = start - first * len(samples)
        return islice(all_from(first), skip, skip + stop - start)

    return items
