"""The `ocrkit` command with trainings of seconds: a network of two convolutions, rounds of a few words.

What trains does all that it does otherwise, in as many rounds, and writes the same files. What it is made of, a
vocabulary of some thousand words and the fonts' verdicts, is the same each time: a process that forks for its calls
makes it once.
"""

from __future__ import annotations

from functools import cache, partial

from ocrkit.recognition.network import SIZES, NetworkSize

SIZE, NETWORK = "tiny", NetworkSize(((8, 2, 2), (8, 2, 2)), 8, (8,))


def shrink() -> None:
    """Make it so in this process."""
    from ocrkit.quiet import quieten_tensorflow

    quieten_tensorflow()
    SIZES[SIZE] = NETWORK  # before a verb lists them
    from ocrkit.cli import finetune, train
    from ocrkit.learning import finetune as tuning
    from ocrkit.learning import materials, release
    from ocrkit.learning.trainer import Trainer, TrainOptions
    from ocrkit.synth import corpus, fonts

    def trains_without_graphs(trainer: Trainer) -> None:
        """Their making takes longer than the training, and nothing of them is written."""
        trainer.network.run_eagerly = True

    Trainer._trace = trains_without_graphs  # type: ignore[method-assign]
    train.TrainOptions = partial(TrainOptions, round_words=32)  # type: ignore[assignment,misc]
    finetune._LEAST_ROUND = 32
    tuning._GENERAL_WORDS = 8
    release.PARITY_CROPS = 20
    vocabulary = cache(partial(corpus.build_vocabulary, words=1000))
    audit = fonts.audit
    audited = cache(audit)
    fonts.audit = lambda folders, known=(): audit(folders, known) if known else audited(tuple(folders))  # type: ignore[assignment,misc]
    for module in (corpus, tuning, materials):
        module.build_vocabulary = vocabulary  # type: ignore[attr-defined]
    for module in (tuning, materials):
        module.audit = fonts.audit  # type: ignore[attr-defined]


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
