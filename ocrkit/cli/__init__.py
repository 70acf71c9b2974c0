"""The `ocrkit` command: a module a verb, each of which loads what it needs when it is called."""

from __future__ import annotations

import click

from ocrkit import __version__
from ocrkit.cli.verbs import LazyVerbs

# A verb is the command of that name in the module of that name; what help says stands here, so that it imports none.
VERBS = {
    "benchmark": "Measure speed, memory and start-up time on this CPU.",
    "compare": "Compare several OCR engines on labelled pages.",
    "convert": "Convert a model to LiteRT or int8, and check it against the original.",
    "data": "Fetch, check, describe and cut up labelled pages or word crops.",
    "evaluate": "Score a model on labelled or invented words.",
    "finetune": "Fine-tune a model on labelled real words.",
    "label": "Have words and pages labelled by people, and take the labels for training.",
    "promote": "Make a model the champion of MLflow's registry, if it is better.",
    "queue": "Look after the queue of the reading service.",
    "read": "Read images and PDFs as text, JSON, hOCR, ALTO or searchable PDF.",
    "release": "Check, calibrate and score a trained model, and release it.",
    "rollout": "Bring a challenger to everybody by steps, and back at once.",
    "runs": "Import recorded trainings into MLflow.",
    "scan": "Crop and straighten the page in a photo.",
    "search": "Find words in the documents that the reading service has read.",
    "serve": "Serve a page and REST that read documents in jails and search them.",
    "submit": "Hand documents to the reading service.",
    "synth": "Render invented words and simulated pages, with their labels.",
    "train": "Train a model on invented words.",
    "vault": "Keep donated documents sealed; log every use; forget a donor for good.",
}


@click.group(cls=LazyVerbs, verbs=VERBS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ocrkit")
def main() -> None:
    """Read documents; train and evaluate the models that read them."""
