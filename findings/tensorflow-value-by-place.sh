#!/usr/bin/env bash
# TensorFlow 2.20.0 on x86-64, element-wise functions of an array of nine equal numbers, for 1000 numbers.
# Guess: nine equal results (sqrt is the control).
# Seen: the ninth, which fills no vector register, differs in its last bits for hundreds of numbers with exp, sigmoid and rsqrt.
# So a row's result depends on its place in the batch: compare with a tolerance, and do not part equal scores by order.
"$(dirname "$0")/fresh-venv" tensorflow-cpu==2.20.0 numpy==2.4.6 <<'EOF'
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

rows = np.repeat(np.linspace(0.5, 8, 1000, dtype=np.float32)[:, None], 9, 1)
seen = {}
for function in (tf.exp, tf.sigmoid, tf.math.rsqrt, tf.sqrt):
    results = np.stack([function(tf.constant(row)).numpy() for row in rows])
    seen[function.__name__] = int((results[:, 8] != results[:, 0]).sum())
print(f"TensorFlow {tf.__version__}: guessed 0 of 1000 numbers with unequal results; seen", seen)
raise SystemExit(not (seen.pop("sqrt") == 0 and min(seen.values()) > 50))
EOF
