"""The `ocrkit` command with trainings of seconds: a network of two convolutions, and rounds of a few words.

What trains does all that it does otherwise, in as many rounds, and writes the same files.
"""

from __future__ import annotations

from functools import cache, partial

from ocrkit.recognition.network import SIZES, NetworkSize

SIZE = "tiny"


def shrink() -> None:
    """Make it so in this process."""
    from ocrkit.quiet import quieten_tensorflow

    quieten_tensorflow()
    SIZES[SIZE] = NetworkSize(((8, 2, 2), (8, 2, 2)), 8, (8,))  # before a verb lists them
    from ocrkit.cli import finetune, train
    from ocrkit.learning import finetune as tuning
    from ocrkit.learning import release
    from ocrkit.learning.trainer import Trainer, TrainOptions
    from ocrkit.synth import corpus

    class Untraced(Trainer):
        """Trains without graphs, whose making takes half of the time; `train` has them when it is killed."""

        def _trace(self) -> None:
            self.network.run_eagerly = True

    tuning.Trainer = Untraced  # type: ignore[misc]
    train.TrainOptions = partial(TrainOptions, round_words=32)  # type: ignore[assignment,misc]
    finetune._LEAST_ROUND = 16
    tuning._GENERAL_WORDS = 8
    release.PARITY_CROPS = 20
    # Words are the same each time: a process that forks for its calls makes them once.
    tuning.build_vocabulary = corpus.build_vocabulary = cache(corpus.build_vocabulary)


def save_untrained(folder: str) -> None:
    """Save a network that has learnt nothing."""
    from pathlib import Path

    import keras

    from ocrkit.alphabet import Alphabet
    from ocrkit.recognition.model import save_network
    from ocrkit.recognition.network import build_network

    keras.utils.set_random_seed(1)
    card = {"trained_on": "nothing", "fonts": 2}
    save_network(build_network(SIZE, Alphabet()), Alphabet(), Path(folder), card)


if __name__ == "__main__":
    from ocrkit.cli import main

    shrink()
    main(prog_name="ocrkit")
