#!/usr/bin/env bash
# TensorFlow 2.20.0 with `enable_op_determinism`, the gradient of a batch norm with one, two and four threads.
# Guess: the same bits: "same inputs, same outputs" on one machine.
# Seen: the same in every run, but other bits for each number of threads, which is the machine's number of cores by default.
# So a training repeats itself on a machine of as many cores only, unless TF_NUM_INTRAOP_THREADS is fixed.
"$(dirname "$0")/fresh-venv" tensorflow-cpu==2.20.0 numpy==2.4.6 <<'EOF'
import os
import subprocess
import sys

GRADIENT = """
import hashlib
import numpy as np, tensorflow as tf
tf.config.experimental.enable_op_determinism()
random = np.random.default_rng(0)
x, scale, offset = (tf.constant(random.standard_normal(shape).astype(np.float32)) for shape in ((8, 32, 128, 16), 16, 16))
with tf.GradientTape() as tape:
    tape.watch(scale)
    y, *_ = tf.raw_ops.FusedBatchNormV3(x=x, scale=scale, offset=offset, mean=[], variance=[], is_training=True)
    loss = tf.reduce_sum(y * y * y)
print(tf.__version__, hashlib.md5(tape.gradient(loss, scale).numpy().tobytes()).hexdigest()[:8])
"""
seen = {}
for threads in ("1", "2", "4", "4"):
    fixed = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": threads}
    run = subprocess.run([sys.executable, "-c", GRADIENT], env={**os.environ, **fixed}, capture_output=True, text=True, check=True)
    version, digest = run.stdout.split()
    seen.setdefault(threads, set()).add(digest)
print(f"TensorFlow {version}: guessed one digest; seen by threads", {n: sorted(digests) for n, digests in seen.items()})
raise SystemExit(not (len(seen["4"]) == 1 and len(set.union(*seen.values())) > 1))
EOF
