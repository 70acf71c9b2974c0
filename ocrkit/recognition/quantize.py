"""float32 -> int8: convolutions and outputs with ranges measured on crops, LSTMs with ranges found as they run."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ocrkit.document import Image
from ocrkit.errors import BadParams, MissingExtra
from ocrkit.recognition.litert import TFLITE
from ocrkit.recognition.model import ONNX, WEIGHTS, read_card, verified, write_card
from ocrkit.recognition.preprocess import batches

# Which operators of the network are computed in int8.
PARTS = {"convolutions": ("Conv",), "outputs": ("MatMul",), "lstms": ("LSTM",)}


def quantize(model: Path, target: Path, crops: Sequence[Image], parts: Sequence[str], seven_bits: bool = True) -> Path:
    """Write the model of the folder `model` with some `parts` in int8 into the folder `target`; returns it.

    Convolutions and outputs are quantised statically, per channel, between QuantizeLinear and DequantizeLinear (QDQ);
    for LSTMs ONNX Runtime has an operator that quantises what flows in while it runs, and none with fixed ranges. The
    new model has no weights to go on training with.

    Args:
        model: a model in float32.
        target: made where missing.
        crops: words whose activations decide the ranges; a few hundred.
        parts: of `PARTS`.
        seven_bits: weights use only 7 of their 8 bits. Without VNNI, processors add two products in 16 bits, which
            overflow otherwise.

    Raises:
        BadModel: `model` is missing or damaged.
        BadParams: an unknown part.
        MissingExtra: onnx is not installed.
    """
    if unknown := set(parts) - set(PARTS):
        raise BadParams(f"There is no part {min(unknown)!r} to quantise; choose among {', '.join(PARTS)}.")
    source = verified(model, ONNX)
    try:
        from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process
    except ImportError:
        raise MissingExtra("Quantising a network needs onnx: pip install 'ocrkit[train]'.") from None
    pictures = iter([{"pictures": batch.pictures} for batch in batches(crops)])

    class Calibration(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> Any:
            return next(pictures, None)

    target.mkdir(parents=True, exist_ok=True)
    static = [kind for part in parts if part != "lstms" for kind in PARTS[part]]
    with tempfile.TemporaryDirectory(dir=target) as part:
        prepared, half = Path(part) / "prepared.onnx", Path(part) / "half.onnx"
        # What it raises is enough: it would print the traceback, too.
        logging.getLogger("onnxruntime.quantization.shape_inference").setLevel(logging.CRITICAL)
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        if static:
            quantize_static(
                prepared,
                half,
                Calibration(),
                op_types_to_quantize=static,
                per_channel=True,
                reduce_range=seven_bits,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
        else:
            prepared.replace(half)
        if "lstms" in parts:
            whole = Path(part) / "whole.onnx"
            logging.disable(logging.WARNING)  # it asks whether the model is quantised already: in part, as it should be
            try:
                quantize_dynamic(half, whole, op_types_to_quantize=["LSTM"], per_channel=True, reduce_range=seven_bits)
            finally:
                logging.disable(logging.NOTSET)
            whole.replace(half)
        half.replace(target / ONNX)
    for name in set(read_card(model)["files"]) - {ONNX, WEIGHTS, TFLITE}:
        shutil.copyfile(verified(model, name), target / name)
    card = {key: value for key, value in read_card(model).items() if key not in ("evaluation", "export_parity")}
    write_card(target, {**card, "precision": f"int8: {', '.join(parts)}"})
    return target
