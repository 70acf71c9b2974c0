#!/usr/bin/env bash
# TensorFlow 2.20.0, the gradient of `BlockLSTMV2` (no peepholes, no clipping) against finite differences.
# Guess: agrees. (The older `BlockLSTM` is the control.)
# Seen: BlockLSTM agrees within 0.001; BlockLSTMV2's gradient of its weights is plainly another.
# So train through BlockLSTM or Keras's own LSTM.
"$(dirname "$0")/fresh-venv" tensorflow-cpu==2.20.0 numpy==2.4.6 <<'EOF'
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

random = np.random.default_rng(0)
steps, batch, inputs, units = 4, 2, 2, 3
x, state, weights, bias, pull = (
    tf.constant(random.normal(0, 0.5, shape), tf.float32)
    for shape in ((steps, batch, inputs), (batch, units), (inputs + units, 4 * units), (4 * units,), (steps, batch, units))
)
none = tf.zeros(units)
seen = {}
for name, op, options in (("BlockLSTM", tf.raw_ops.BlockLSTM, {"forget_bias": 0.0}), ("BlockLSTMV2", tf.raw_ops.BlockLSTMV2, {})):

    def loss(w):
        out = op(seq_len_max=tf.constant(steps, tf.int64), x=x, cs_prev=state, h_prev=state, w=w, wci=none, wcf=none, wco=none, b=bias,
                 cell_clip=-1.0, use_peephole=False, **options)
        return tf.reduce_sum(out.h * pull)

    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = loss(weights)
    gradient = tape.gradient(value, weights).numpy()
    slopes = np.zeros_like(gradient)
    for index in np.ndindex(slopes.shape):
        step = np.zeros_like(gradient)
        step[index] = 0.01
        slopes[index] = (loss(weights + step) - loss(weights - step)) / 0.02
    seen[name] = float(np.abs(gradient - slopes).max() / np.abs(slopes).max())
print(f"TensorFlow {tf.__version__}: guessed an error under 0.01 of the largest slope; seen", {k: round(v, 4) for k, v in seen.items()})
raise SystemExit(not (seen["BlockLSTM"] < 0.01 < 0.1 < seen["BlockLSTMV2"]))
EOF
