"""The `ocrkit` command: a module a verb, each of which loads what it needs when it is called."""

from __future__ import annotations

import click

from ocrkit import __version__
from ocrkit.cli.verbs import LazyVerbs

# A verb is the command of that name in the module of that name; what help says stands here, so that it imports none.
VERBS = {
    "benchmark": "Measure speed, memory and start of reading on this CPU.",
    "compare": "Read labelled pages with several engines and compare them.",
    "convert": "Write a model as LiteRT or in int8, checked against the original.",
    "data": "Fetch, check, cut and describe labelled pages or word crops.",
    "evaluate": "Say how well a recogniser reads labelled or invented words.",
    "finetune": "Let a recogniser go on with labelled real words.",
    "promote": "Make a model the champion of the registry, if it is better.",
    "read": "Read images and PDFs; `-` is standard input.",
    "release": "Check and score a trained recogniser and put it among the released ones.",
    "runs": "Put recorded trainings into MLflow.",
    "scan": "Cut the page out of a photo, seen from straight above in even light.",
    "synth": "Invent labelled words: fonts, contact sheets, shards, speed.",
    "train": "Train a recogniser on invented words.",
}


@click.group(cls=LazyVerbs, verbs=VERBS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ocrkit")
def main() -> None:
    """Read documents, and train and measure what reads them."""
