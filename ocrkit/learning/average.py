"""The mean of models' weights: what was fine-tuned keeps more of what it knew before.

Wortsman et al., "Robust fine-tuning of zero-shot models" (2022): between a network's weights before and after
fine-tuning often lie ones that read the new words nearly as well, and the old ones better.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import reduce
from pathlib import Path

import numpy as np

from ocrkit.errors import BadModel, BadParams
from ocrkit.learning.finetune import origin
from ocrkit.recognition.lexicon import Lexicon
from ocrkit.recognition.model import load_lexicon, load_network, read_card, save_network


def average_models(shares: Mapping[Path, float], folder: Path) -> Path:
    """Write the model with the mean weights of others into `folder`; returns it.

    The mean makes sense only of models of which one began with another's weights, or all with the same ones.

    Args:
        shares: folder of each model -> its share of the mean; together they are 1.
        folder: for the model. Its lexicon has the words of all of theirs.

    Raises:
        BadParams: shares that are negative, or not 1 together.
        BadModel: models of different sizes or alphabets, or one that learned from donated documents: whoever takes
            these back could not be told that the mean holds them.
    """
    if min(shares.values(), default=-1) < 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise BadParams("The shares of the models must be 0 or more, and 1 together.")
    cards = {model: read_card(model) for model in shares}
    if len({(card["size"], card["alphabet"]) for card in cards.values()}) > 1:
        raise BadModel("Only models of one size and alphabet have a mean.")
    if any(card.get("vaults") for card in cards.values()):
        raise BadModel("A model that learned from donated documents cannot be averaged with others.")
    mean: list[np.ndarray] = []
    for model, share in shares.items():
        network, alphabet = load_network(model)
        parts = [share * weights for weights in network.get_weights()]
        mean = [a + b for a, b in zip(mean, parts)] if mean else parts
    network.set_weights(mean)
    origins = [{"share": share, **origin(model)} for model, share in shares.items()]
    sources = sorted({source for card in cards.values() for source in card.get("sources", ())} - {"synthetic"})
    names = ", ".join(f"{entry['model']} ({entry['share']:.0%})" for entry in origins)
    card = {
        "trained_on": f"the mean of the weights of {names}; they learned from synthetic words"
        + (f" and from words of {', '.join(sources)}" if sources else ""),
        "sources": ["synthetic", *sources],
        "averaged": origins,
        "date": time.strftime("%Y-%m-%d"),
    }
    lexicons = list(filter(None, map(load_lexicon, shares)))
    return save_network(network, alphabet, folder, card, reduce(Lexicon.joined, lexicons) if lexicons else None)
