"""A recogniser on disk: ONNX for reading, Keras weights for fine-tuning, a lexicon, and a card that describes it."""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ocrkit.alphabet import Alphabet
from ocrkit.errors import BadLabel, BadModel, quoted
from ocrkit.files import checksum, write_whole
from ocrkit.recognition.decode import Calibration
from ocrkit.recognition.lexicon import Lexicon
from ocrkit.recognition.network import SIZES

_log = logging.getLogger(__name__)

ONNX, WEIGHTS, LEXICON, CARD = "model.onnx", "model.weights.h5", "lexicon.bin", "card.json"
_OLD_LEXICON = "lexicon.u32"  # of before words had frequencies
_COLDEST, _HOTTEST = 1e-3, 1e3  # temperatures; calibration finds some between 0.5 and 3
_FLATTEST, _STEEPEST, _FARTHEST = 1e-2, 1e2, 20.0  # slopes and offset of a calibration; fits find some near 1 and 0
DEFAULT_MODEL = "fast-print"
_UNCALIBRATED = asdict(Calibration())
_SUCCESSORS = {"fast-receipts": "fast-print"}  # of models that were released once


def released_folder() -> Path:
    """Where the released recognisers lie: inside the installed package, or in `models/released` of the source tree."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "released"
    return inside if inside.is_dir() else package.parent / "models" / "released"


def find_model(model: str | Path | None) -> Path:
    """The folder of a model given as a released name, a path or `None` for the default.

    Raises:
        BadModel: there is none.
    """
    if successor := _SUCCESSORS.get(str(model)):
        _log.warning("The model %s is no longer released: %s, which learned more, is taken.", model, successor)
        model = successor
    # A released name wins over a folder of that name, so that what is read with does not depend on where one stands.
    for folder in (released_folder() / str(model or DEFAULT_MODEL), Path(model or DEFAULT_MODEL)):
        with suppress(OSError):  # a name longer than names can be
            if (folder / CARD).is_file():
                return folder
    names = sorted(path.parent.name for path in released_folder().glob(f"*/{CARD}"))
    known = f", or one of {', '.join(names)}" if names else ""
    raise BadModel(f"There is no model {quoted(str(model))}: give a folder with a {CARD}{known}.")


def read_card(folder: Path) -> dict[str, Any]:
    """The model's card, its form checked.

    Raises:
        BadModel: damaged, or of a network this version does not know.
    """
    try:
        card = json.loads((folder / CARD).read_text("utf-8"))
        known = card["size"] in SIZES and isinstance(card["alphabet"], str) and isinstance(card["files"], dict)
        plain = known and all(
            Path(name).name == name and isinstance(value, str) for name, value in card["files"].items()
        )
        temperature = card.get("temperature", 1.0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadModel(f"{folder / CARD} is not a model card: {quoted(error)}.") from None
    if not known:
        raise BadModel(f"{folder / CARD} describes a network this version of ocrkit does not know.")
    if not plain:
        raise BadModel(f"{folder / CARD} names files that do not lie beside it.")
    if not _is_temperature(temperature):
        raise BadModel(f"{folder / CARD} has the temperature {quoted(temperature)}: a number above 0 is needed.")
    if not _is_calibration(card.get("calibration", _UNCALIBRATED)):
        raise BadModel(
            f"{folder / CARD} has the calibration {quoted(card['calibration'])}: "
            "a slope above 0 and an offset are needed."
        )
    return card


def _is_temperature(value: object) -> bool:
    """Whether logits can be divided by it and stay numbers."""
    return _is_within(value, _COLDEST, _HOTTEST)


def _is_calibration(value: object) -> bool:
    """Whether `Calibration` can be made of it, and confidences stay within 0 and 1 by it."""
    return (
        isinstance(value, dict)
        and value.keys() == _UNCALIBRATED.keys()
        and _is_within(value["slope"], _FLATTEST, _STEEPEST)
        and _is_within(value["offset"], -_FARTHEST, _FARTHEST)
    )


def _is_within(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def calibration_of(folder: Path) -> Calibration:
    """What makes the model's confidences those of real words; the identity where nothing was fitted.

    Raises:
        BadModel: see `read_card`.
    """
    return Calibration(**read_card(folder).get("calibration", {}))


def verified(folder: Path, name: str) -> Path:
    """The model's file `name`, once its checksum is the card's.

    Raises:
        BadModel: missing or changed.
    """
    path = folder / name
    expected = read_card(folder)["files"].get(name)
    if expected is None or not path.is_file():
        raise BadModel(f"The model in {folder} has no {name}.")
    if checksum(path) != expected:
        raise BadModel(f"{path} is damaged: its checksum is not the one on the model's card.")
    return path


def identity(folder: Path) -> str:
    """SHA-256 of all that decides what the model reads: its files, size, alphabet, temperature and calibration.

    Not of its scores, which may be measured again, nor of the folder's name.

    Raises:
        BadModel: see `read_card`.
    """
    card = read_card(folder)
    facts = {name: card.get(name) for name in ("files", "size", "alphabet", "temperature")}
    facts |= {name: card[name] for name in ("calibration",) if name in card}  # models without keep their identity
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def alphabet_of(folder: Path) -> Alphabet:
    """The characters the model was trained for.

    Raises:
        BadModel: see `read_card`; or no characters, or one twice.
    """
    try:
        return Alphabet(read_card(folder)["alphabet"])
    except BadLabel as error:
        raise BadModel(f"{folder / CARD} has no alphabet: {error}") from None


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write `card` with the checksums of the model's files, to a temporary name first."""
    files = {name: checksum(folder / name) for name in (ONNX, WEIGHTS, LEXICON) if (folder / name).is_file()}
    text = json.dumps({**card, "files": files}, indent=1, ensure_ascii=False, sort_keys=True)
    write_whole(folder / CARD, text + "\n")


def load_lexicon(folder: Path) -> Lexicon | None:
    """The words that the model prefers where it is in doubt; `None` where it brings none.

    Raises:
        BadModel: see `verified`; or its lexicon has no frequencies yet.
    """
    files = read_card(folder)["files"]
    if _OLD_LEXICON in files:
        raise BadModel(f"The lexicon of {folder} has an older form: write the model anew with ocrkit release.")
    if LEXICON not in files:
        return None
    return Lexicon.load(verified(folder, LEXICON))


def load_network(folder: Path) -> tuple[Any, Alphabet]:
    """The Keras network of a saved model, its weights loaded, and its alphabet.

    Raises:
        BadModel: see `verified`.
    """
    from ocrkit.recognition.network import build_network

    alphabet = alphabet_of(folder)
    network = build_network(read_card(folder)["size"], alphabet)
    weights = verified(folder, WEIGHTS)
    try:
        network.load_weights(weights)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadModel(f"{weights} holds another network's weights: {quoted(str(error))}.") from None
    return network, alphabet


def save_network(
    network: Any, alphabet: Alphabet, folder: Path, card: dict[str, Any], lexicon: Lexicon | None = None
) -> Path:
    """Write weights, ONNX export, lexicon and card of `network` into `folder`; returns it.

    Args:
        network: from `build_network`.
        alphabet: of the network.
        folder: made where missing.
        card: what is known about the model, ready for JSON; `size` and `alphabet` are added.
        lexicon: words to be preferred in reading.

    Raises:
        BadModel: the export does not agree with the network.
    """
    from ocrkit.recognition.export import check_parity, to_onnx
    from ocrkit.recognition.network import build_network

    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "part.weights.h5"
    # A copy that was never compiled: the optimiser's state would triple the file.
    plain = build_network(network.name, alphabet)
    plain.set_weights(network.get_weights())
    plain.save_weights(part)
    part.replace(folder / WEIGHTS)
    to_onnx(network, network.name, folder / ONNX)
    parity = check_parity(network, folder / ONNX, alphabet)
    if lexicon:
        lexicon.save(folder / LEXICON)
    write_card(folder, {**card, "size": network.name, "alphabet": alphabet.characters, "export_parity": parity})
    return folder
