#!/usr/bin/env bash
# ONNX Runtime 1.32.0, an LSTM with the batch first (`layout=1`, in the standard since opset 14).
# Guess: runs; the model is valid.
# Seen: the full check of onnx 1.23.2 passes, and the CPU provider refuses to load the model.
# So an exporter writes time first and transposes; a check by onnx alone does not show that a model can be served.
"$(dirname "$0")/fresh-venv" onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 <<'EOF'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)
weights = [numpy_helper.from_array(np.zeros((1, 16, n), "f"), name) for n, name in ((3, "W"), (4, "R"))]
inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 6, 3])]
outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 6, 1, 4])]
graph = helper.make_graph([helper.make_node("LSTM", ["x", "W", "R"], ["y"], hidden_size=4, layout=1)], "lstm", inputs, outputs, weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
onnx.checker.check_model(model, full_check=True)
try:
    onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    seen = "loaded"
except Exception as error:
    seen = "refused, layout 1 is not supported" if "(layout == 1) are not supported" in str(error) else str(error)
print(f"ONNX Runtime {onnxruntime.__version__}: guessed that a model that passes the check loads; seen: {seen}")
raise SystemExit(not seen.startswith("refused"))
EOF
