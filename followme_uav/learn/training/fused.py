"""Batch normalisation through TensorFlow's fused kernel, for training.

Keras computes the layer as many small operations, which take a quarter of a training step on CPU
(forward and backward). The fused kernel computes the same in a fifth of that time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from followme_uav.perception.tensorflow_runtime import tensorflow

if TYPE_CHECKING:
    import keras


def with_fused_normalisation(model: keras.Model) -> keras.Model:
    """Copy `model` and its weights, with batch normalisation that trains faster.

    Args:
        model: Network; its batch normalisations are over the last of four axes.

    Returns:
        Network with variables of the same names, shapes, order and values.
    """
    tf = tensorflow()
    import keras

    class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
        def call(self, inputs, training=None, mask=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            if not training:
                return super().call(inputs, training=training, mask=mask)
            result, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                inputs, self.gamma, self.beta, epsilon=self.epsilon, is_training=True
            )
            for running, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                running.assign(running * self.momentum + batch * (1 - self.momentum))
            return result

    def copy_of(layer: keras.Layer) -> keras.Layer:
        fused = isinstance(layer, keras.layers.BatchNormalization)
        kind = FusedBatchNormalization if fused else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(model, clone_function=copy_of)
    for target, value in zip(copy.variables, model.variables, strict=True):
        target.assign(value)
    return copy
