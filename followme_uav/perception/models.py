"""The fully convolutional networks that find people and the hero in an image.

Every network is built from two blocks. `encoder_block` looks at 3x3 neighbourhoods and may halve
the resolution; `decoder_block` doubles it again and adds the detail of an earlier layer (a skip
connection). Between the two stands one plain convolution, the `middle_block`. The last layer
gives each pixel three probabilities: background, people, hero. Each network below has one line
for each row of its table in the follow-me report; the comments give that row's number.

Input: (batch, height, width, 3) float, `x / 127.5 - 1` of RGB bytes, sides multiples of
`SIDE_MULTIPLE_PX`.
Output: (batch, height, width, 3) probabilities, channels as in `messages.MaskClass`.

A network is a function of its image, in Keras layers only. From a `keras.Input` it makes a Keras
model (`keras_model`), on any Keras backend. A tensor of `onnx_model` brings layers of its own, and
the same lines make an ONNX model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

CLASSES = ("background", "people", "hero")
INPUT_SIZE_PX = 160
SIDE_MULTIPLE_PX = 8
"""Three halvings (Model 1): other image sides would not come back to the same size. Models 2 and
3 halve twice and could do with 4, but one rule for all is simpler; camera sides are such multiples.
"""

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.97
"""Running statistics settle within ~100 steps, so short trainings can be used for inference."""


def model1(image: Any) -> Any:
    """Model 1, deep, with a 1x1 convolution (table 2 of the report); 48,250 parameters."""
    half = encoder_block(image, 32, strides=2, name="encoder1")  # row 1
    quarter = encoder_block(half, 64, strides=2, name="encoder2")  # row 2
    eighth = encoder_block(quarter, 128, strides=2, name="encoder3")  # row 3
    x = middle_block(eighth, 128, 1, name="middle")  # row 4
    x = decoder_block(x, quarter, 64, name="decoder1")  # row 5
    x = decoder_block(x, half, 32, name="decoder2")  # row 6
    x = decoder_block(x, image, 3, name="decoder3")  # row 7
    return class_probabilities(x)  # row "Output"


def model2(image: Any) -> Any:
    """Model 2, shallow, with a 1x1 convolution (table 3 of the report); 26,777 parameters."""
    half = encoder_block(image, 32, strides=2, name="encoder1")  # row 1
    quarter = encoder_block(half, 64, strides=2, name="encoder2")  # row 2
    x = middle_block(quarter, 128, 1, name="middle")  # row 3
    x = decoder_block(x, half, 64, name="decoder1")  # row 4
    x = decoder_block(x, image, 32, name="decoder2")  # row 5
    return class_probabilities(x)  # row "Output"


def model3(image: Any) -> Any:
    """Model 3, shallow, without a 1x1 convolution (table 4 of the report); 50,457 parameters."""
    half = encoder_block(image, 32, strides=2, name="encoder1")  # row 1
    quarter = encoder_block(half, 64, strides=2, name="encoder2")  # row 2
    x = middle_block(quarter, 64, 3, name="middle")  # row 3
    x = decoder_block(x, half, 64, name="decoder1")  # row 4
    x = decoder_block(x, image, 32, name="decoder2")  # row 5
    return class_probabilities(x)  # row "Output"


ARCHITECTURES: dict[str, Callable[[Any], Any]] = {
    "model1": model1,
    "model2": model2,
    "model3": model3,
}
"""Every network that weights can be made for, by the name stored in the weights file:
(batch, height, width, 3) image -> probabilities of the same shape.
"""


def keras_model(architecture: str) -> keras.Model:
    """A network of `ARCHITECTURES` with random weights, to train."""
    import keras

    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, ARCHITECTURES[architecture](image), name=architecture)


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
    x = _layers_of(x).SeparableConv2D(
        filters, 3, strides=strides, padding="same", activation="relu", name=f"{name}_conv"
    )(x)
    return _batch_norm(x, name)


def middle_block(x: Any, filters: int, size: int, *, name: str) -> Any:
    """Plain convolution of `size` x `size`, ReLU, batch normalisation; 1x1 sees no neighbours."""
    x = _layers_of(x).Conv2D(filters, size, padding="same", activation="relu", name=f"{name}_conv")(
        x
    )
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
    large = bilinear_upsample(small, name=name)
    both = _layers_of(small).Concatenate(name=f"{name}_concat")([large, skip])
    return encoder_block(both, filters, strides=1, name=name)


def bilinear_upsample(x: Any, *, name: str) -> Any:
    """Bilinear 2x upsampling without the half-pixel shift, as TensorFlow 1 computed it.

    Even rows and columns of the result are the input's, odd ones the mean of two neighbours, the
    last one is repeated at the edge. Doubling every pixel and then averaging each 2x2 window is
    the same thing: a window lies within one pixel or across two; at the edge the average
    leaves out what lies outside.
    """
    layers = _layers_of(x)
    x = layers.UpSampling2D(2, interpolation="nearest", name=f"{name}_double")(x)
    return layers.AveragePooling2D(2, strides=1, padding="same", name=f"{name}_mean")(x)


def class_probabilities(x: Any) -> Any:
    """The last layer: 1x1 convolution and softmax over the classes."""
    return _layers_of(x).Conv2D(len(CLASSES), 1, activation="softmax", name="classes")(x)


def _batch_norm(x: Any, name: str) -> Any:
    return _layers_of(x).BatchNormalization(
        epsilon=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM, name=f"{name}_norm"
    )(x)


def _layers_of(x: Any) -> Any:
    """The layers to apply to `x`: those it brings along, else Keras's."""
    own = getattr(x, "layers", None)
    if own is not None:
        return own
    from keras import layers

    return layers
