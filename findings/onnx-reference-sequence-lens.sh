#!/usr/bin/env bash
# onnx 1.23.2 and ONNX Runtime 1.32.0, an LSTM over a batch of sequences of different lengths (`sequence_lens`).
# Guess: the reference evaluator of the onnx package agrees with ONNX Runtime, which puts zeros after a sequence's end.
# Seen: the evaluator ignores the lengths without a word and reads on through the padding.
# So it is no judge of an exported recogniser that pads its batch.
"$(dirname "$0")/fresh-venv" onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 <<'EOF'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

random = np.random.default_rng(0)
weights = [numpy_helper.from_array(random.normal(0, 0.3, (1, 16, n)).astype("f"), name) for n, name in ((3, "W"), (4, "R"))]
node = helper.make_node("LSTM", ["x", "W", "R", "", "lengths"], ["y"], hidden_size=4)
inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [6, 2, 3]), helper.make_tensor_value_info("lengths", TensorProto.INT32, [2])]
output = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [6, 1, 2, 4])]
graph = helper.make_graph([node], "lstm", inputs, output, weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
onnx.checker.check_model(model, full_check=True)
feed = {"x": random.normal(size=(6, 2, 3)).astype("f"), "lengths": np.array([6, 2], np.int32)}
runtime = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feed)[0]
reference = ReferenceEvaluator(model).run(None, feed)[0]
seen = [np.allclose(runtime[:, :, 0], reference[:, :, 0], atol=1e-5), bool(runtime[2:, :, 1].any()), bool(reference[2:, :, 1].any())]
print(f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}: guessed zeros after the end from both; seen: sequence of full "
      f"length agrees {seen[0]}, values after the end from the runtime {seen[1]}, from the reference {seen[2]}")
raise SystemExit(seen != [True, False, True])
EOF
