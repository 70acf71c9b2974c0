"""Means of models."""

import json

import numpy as np
import pytest

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadModel, BadParams

pytest.importorskip("keras")

from ocrkit.learning.average import average_models
from ocrkit.recognition.lexicon import Lexicon
from ocrkit.recognition.model import CARD, load_lexicon, load_network, read_card, save_network
from ocrkit.recognition.network import build_network

ALPHABET = Alphabet("ab ")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two models, whose logits have a bias of 1 and of 3."""
    place = tmp_path_factory.mktemp("models")
    for name, bias in (("one", 1.0), ("three", 3.0)):
        network = build_network("nano", ALPHABET)
        kernel, old = network.get_layer("logits").get_weights()
        network.get_layer("logits").set_weights([kernel, np.full_like(old, bias)])
        card = {"trained_on": name, "sources": ["synthetic", f"the {name}s"]}
        save_network(network, ALPHABET, place / name, card, Lexicon([name]))
    return place


def test_a_mean_lies_between_its_models_and_its_card_names_them(models, tmp_path):
    average_models({models / "one": 0.25, models / "three": 0.75}, tmp_path / "mean")
    network, alphabet = load_network(tmp_path / "mean")
    assert alphabet == ALPHABET
    assert np.allclose(network.get_layer("logits").get_weights()[1], 2.5)
    first, second = (load_network(models / name)[0].get_layer("conv1").get_weights()[0] for name in ("one", "three"))
    assert np.allclose(network.get_layer("conv1").get_weights()[0], 0.25 * first + 0.75 * second)
    lexicon = load_lexicon(tmp_path / "mean")
    assert [word in lexicon for word in ("one", "three", "two")] == [True, True, False]
    card = read_card(tmp_path / "mean")
    assert card["sources"] == ["synthetic", "the ones", "the threes"]
    assert "one (25%), three (75%)" in card["trained_on"]
    assert [entry["files"] for entry in card["averaged"]] == [
        read_card(models / name)["files"] for name in ("one", "three")
    ]


@pytest.mark.parametrize("shares", [(0.5, 0.6), (-0.5, 1.5), (0.0, 0.0)])
def test_shares_are_1_together(models, tmp_path, shares):
    with pytest.raises(BadParams, match="1 together"):
        average_models(dict(zip((models / "one", models / "three"), shares)), tmp_path / "mean")


@pytest.mark.parametrize(
    ("change", "sentence"), [({"alphabet": "abc"}, "one size and alphabet"), ({"vaults": ["v"]}, "donated documents")]
)
def test_what_has_no_mean_is_said(models, tmp_path, change, sentence):
    other = tmp_path / "other"
    other.mkdir()
    card = {**read_card(models / "three"), **change}
    (other / CARD).write_text(json.dumps(card), "utf-8")
    with pytest.raises(BadModel, match=sentence):
        average_models({models / "one": 0.5, other: 0.5}, tmp_path / "mean")
