"""The learning-rate range test: raise the rate batch by batch, see where the loss falls and where it breaks out."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np

from ocrkit.errors import TrainingFailed
from ocrkit.files import make_folder, write_whole
from ocrkit.learning.trainer import Trainer
from ocrkit.recognition.network import STRIDE_PX

_SMOOTHING = 0.9  # share of the past in the smoothed loss
_DIVERGED = 4.0  # times the lowest smoothed loss


@dataclass(frozen=True, eq=False)
class RateCurve:
    """What a range test saw: rate, loss a time step and smoothed loss of each batch, `float64` `(N,)`."""

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray

    @property
    def suggestion(self) -> float:
        """The rate at which the smoothed loss fell fastest; its first tenth, not smooth yet, is left out.

        Where it is lowest says little here: clipped gradients and AdamW keep CTC from diverging for long.
        """
        slope = np.gradient(np.log(self.smoothed), np.log(self.rates))
        first = len(slope) // 10
        return float(self.rates[first + slope[first:].argmin()])

    def save(self, folder: Path) -> tuple[Path, Path]:
        """Write `learning_rate.csv` and `learning_rate.png` into `folder`; returns their paths.

        Raises:
            OcrkitError: they cannot be written.
        """
        from matplotlib.figure import Figure

        table, picture = io.StringIO(), io.BytesIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["learning_rate", "loss", "smoothed"])
        writer.writerows(zip(self.rates.tolist(), self.losses.tolist(), self.smoothed.tolist()))
        figure = Figure((8, 4.5), layout="constrained")
        axis = figure.add_subplot(xscale="log", yscale="log", xlabel="learning rate", ylabel="loss a time step")
        axis.plot(self.rates, self.losses, color="#9ca3af", linewidth=0.8, label="of each batch")
        axis.plot(self.rates, self.smoothed, color="#3b6ea5", label="smoothed")
        axis.axvline(self.suggestion, color="#c2413b", linestyle="--", label=f"suggested: {self.suggestion:.2g}")
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
        figure.savefig(picture, format="png", dpi=110)
        make_folder(folder)
        csv_path = write_whole(folder / "learning_rate.csv", table.getvalue())
        return csv_path, write_whole(folder / "learning_rate.png", picture.getvalue())


def find_learning_rate(trainer: Trainer, steps: int = 100, lowest: float = 1e-5, highest: float = 1.0) -> RateCurve:
    """Train for up to `steps` batches while the rate rises exponentially; ends early where the loss diverges.

    Args:
        trainer: a fresh one; its weights are spoilt by this, its folder is not touched.
        steps: batches from `lowest` to `highest`.
        lowest: first learning rate.
        highest: last learning rate.

    Raises:
        TrainingFailed: not even `lowest` can be trained with.

    The range test is Smith's, "Cyclical learning rates for training neural networks" (2015), the exponential sweep and
    the suggestion those that fastai made common.
    """
    # The words of the first round, in ever new order: however few words there are, they are enough.
    rounds = (trainer.batches(0, number) for number in count())
    batches = islice((batch for made in rounds for batch in made), steps)
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    mean = 0.0
    for number, batch in enumerate(batches):
        rate = lowest * (highest / lowest) ** (number / max(1, steps - 1))
        # CTC's loss grows with the width of the pictures, which differs from batch to batch.
        loss = trainer.train_on(batch, rate) * STRIDE_PX / batch.pictures.shape[2]
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        even = mean / (1 - _SMOOTHING ** (number + 1))
        if not math.isfinite(loss) or (smoothed and even > _DIVERGED * min(smoothed)):
            break
        rates.append(rate)
        losses.append(loss)
        smoothed.append(even)
    if len(rates) < 2:
        raise TrainingFailed(f"The loss diverges at a learning rate of {lowest:.2g} already: begin lower.")
    return RateCurve(np.array(rates), np.array(losses), np.array(smoothed))
