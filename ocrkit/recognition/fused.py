"""Layers and an optimiser that do what Keras's do, by TensorFlow's fused kernels: training on a CPU takes less time.

Keras builds batch norms, LSTMs and Adam from many small operations. Their weights, and what they compute but for the
last bits, are the same. All is float32.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers

_PACKAGE = "ocrkit"  # in Keras's registry, through which `Bidirectional` makes its two directions


@keras.saving.register_keras_serializable(_PACKAGE)
class FusedBatchNormalization(layers.BatchNormalization):  # type: ignore[misc]
    """Keras's batch norm of the last axis, `(N, H, W, C)`; in training moments and norm are one kernel."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """As Keras's; `mask` is none."""
        if not (training and self.trainable):
            return super().call(inputs, training, mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        for moving, seen in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + seen * (1 - self.momentum))
        return outputs


@keras.saving.register_keras_serializable(_PACKAGE)
class FusedLSTM(layers.LSTM):  # type: ignore[misc]
    """Keras's LSTM of whole sequences `(N, T, features)`, without mask or initial state; all steps are one kernel.

    The kernel is `BlockLSTM`: the gradient of `BlockLSTMV2` is wrong in TensorFlow 2.20, as finite differences show.
    """

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """Outputs of all steps `(N, T, units)`; those of a backward layer in reverse, as Keras's."""
        sequence = tf.transpose(sequences, (1, 0, 2))
        if self.go_backwards:
            sequence = sequence[::-1]
        steps, rows = tf.unstack(tf.shape(sequence)[:2])
        state, peephole = tf.zeros((rows, self.units)), tf.zeros(self.units)
        outputs = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.cast(steps, tf.int64),
            x=sequence,
            cs_prev=state,
            h_prev=state,
            w=_gates(tf.concat([self.cell.kernel.value, self.cell.recurrent_kernel.value], 0)),
            wci=peephole,
            wcf=peephole,
            wco=peephole,
            b=_gates(self.cell.bias.value),
            forget_bias=0.0,
            cell_clip=-1.0,
            use_peephole=False,
        ).h
        return tf.transpose(outputs, (1, 0, 2))


def _gates(values: Any) -> Any:
    """Keras orders the gates input, forget, cell, output; the kernel input, cell, forget, output."""
    i, f, c, o = tf.split(values, 4, -1)
    return tf.concat([i, c, f, o], -1)


class FusedAdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """Keras's AdamW; the moments and the step of a variable are one kernel."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change `variable` and its moments."""
        number = tf.cast(self.iterations + 1, tf.float32)
        index = self._get_variable_index(variable)
        moments = self._momentums[index], self._velocities[index]
        var, m, v = (x.value.handle if isinstance(x, keras.Variable) else x.handle for x in (variable, *moments))
        tf.raw_ops.ResourceApplyAdam(
            var=var,
            m=m,
            v=v,
            beta1_power=self.beta_1**number,
            beta2_power=self.beta_2**number,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
