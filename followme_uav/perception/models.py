"""The fully convolutional networks that find people and the hero in an image.

Every network is built from two blocks. `encoder_block` looks at 3x3 neighbourhoods and may halve
the resolution; `decoder_block` doubles it again and adds the detail of an earlier layer (a skip
connection). The last layer gives each pixel three probabilities: background, people, hero.

Input: (batch, height, width, 3) float, `x / 127.5 - 1` of RGB bytes, sides multiples of 4.
Output: (batch, height, width, 3) probabilities, channels as in `messages.MaskClass`.

Only Keras layers are used, so the networks run on any Keras backend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

CLASSES = ("background", "people", "hero")
INPUT_SIZE_PX = 160
SIDE_MULTIPLE_PX = 4
"""Two halvings of the resolution: other image sides would not come back to the same size."""

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.97
"""Running statistics settle within ~100 steps, so short trainings can be used for inference."""


def model2() -> keras.Model:
    """Model 2: two encoders, a 1x1 convolution, two decoders; 26,777 parameters."""
    import keras

    image = keras.Input((None, None, 3), name="image")
    half = encoder_block(image, 32, strides=2, name="encoder1")
    quarter = encoder_block(half, 64, strides=2, name="encoder2")
    middle = pointwise_block(quarter, 128, name="middle")
    x = decoder_block(middle, half, 64, name="decoder1")
    x = decoder_block(x, image, 32, name="decoder2")
    return keras.Model(image, class_probabilities(x), name="model2")


ARCHITECTURES: dict[str, Callable[[], keras.Model]] = {"model2": model2}
"""Every network that weights can be made for, by the name stored in the weights file."""


def encoder_block(x: Any, filters: int, *, strides: int, name: str) -> Any:
    """Separable 3x3 convolution, ReLU, batch normalisation.

    Args:
        x: (batch, height, width, channels) features.
        filters: Channels of the result.
        strides: 1 keeps the resolution, 2 halves it.
        name: Prefix of the layers' names, part of the weights file format.

    Returns:
        (batch, height / strides, width / strides, filters) features.
    """
    from keras import layers

    x = layers.SeparableConv2D(
        filters, 3, strides=strides, padding="same", activation="relu", name=f"{name}_conv"
    )(x)
    return _batch_norm(x, name)


def pointwise_block(x: Any, filters: int, *, name: str) -> Any:
    """1x1 convolution, ReLU, batch normalisation: mixes channels, looks at no neighbours."""
    from keras import layers

    x = layers.Conv2D(filters, 1, activation="relu", name=f"{name}_conv")(x)
    return _batch_norm(x, name)


def decoder_block(small: Any, skip: Any, filters: int, *, name: str) -> Any:
    """Doubles the resolution of `small`, adds the channels of `skip`, and mixes both.

    Args:
        small: (batch, height, width, channels) features.
        skip: (batch, 2 height, 2 width, other channels) features of an earlier layer.
        filters: Channels of the result.
        name: Prefix of the layers' names, part of the weights file format.

    Returns:
        (batch, 2 height, 2 width, filters) features.
    """
    from keras import layers

    both = layers.Concatenate(name=f"{name}_concat")([bilinear_upsample(small, name=name), skip])
    return encoder_block(both, filters, strides=1, name=name)


def bilinear_upsample(x: Any, *, name: str) -> Any:
    """Bilinear 2x upsampling without the half-pixel shift, as TensorFlow 1 computed it.

    Even rows and columns of the result are the input's, odd ones the mean of two neighbours, the
    last one is repeated at the edge. Doubling every pixel and then averaging each 2x2 window is
    the same thing: a window lies within one pixel or across two; at the edge the average
    leaves out what lies outside.
    """
    from keras import layers

    x = layers.UpSampling2D(2, interpolation="nearest", name=f"{name}_double")(x)
    return layers.AveragePooling2D(2, strides=1, padding="same", name=f"{name}_mean")(x)


def class_probabilities(x: Any) -> Any:
    """The last layer: 1x1 convolution and softmax over the classes."""
    from keras import layers

    return layers.Conv2D(len(CLASSES), 1, activation="softmax", name="classes")(x)


def _batch_norm(x: Any, name: str) -> Any:
    from keras import layers

    return layers.BatchNormalization(
        epsilon=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM, name=f"{name}_norm"
    )(x)
