#!/usr/bin/env bash
# Keras 3.15.1 (on JAX 0.10.2), averaged weights (`use_ema`) together with `gradient_accumulation_steps`.
# Guess: the average moves once an update, so the same updates give the same average, however many batches each is gathered from.
# Seen: it moves with every batch, also while the weights stand still: a momentum of 0.5 over updates of 4 batches is one of 0.06.
# So the weights that are kept average over n times fewer updates: for n batches an update, give the n-th root of the momentum.
"$(dirname "$0")/fresh-venv" keras==3.15.1 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 <<'EOF'
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras


def trained(batches):
    """A weight after three updates of 1 each, gathered from so many batches, and its average."""
    weight = keras.Variable(0.0)
    optimizer = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=batches)
    optimizer.build([weight])
    for _ in range(3 * (batches or 1)):
        optimizer.apply([keras.ops.convert_to_tensor(-1.0)], [weight])
    last = float(weight)
    optimizer.finalize_variable_values([weight])
    return last, float(weight)


seen = {batches or 1: trained(batches) for batches in (None, 2, 4)}
print(f"Keras {keras.__version__}: guessed 3 and an average of 2.25 of all; seen, by batches an update: {seen}")
raise SystemExit(seen != {1: (3, 2.25), 2: (3, 2.375), 4: (3, 2.46875)})
EOF
