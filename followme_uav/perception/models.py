"""Fully convolutional networks that segment people and the hero in an image.

Models 1 to 3 are built from two kinds of blocks. An `encoder_block` computes features of 3x3
neighbourhoods and may halve the resolution. A `decoder_block` doubles the resolution and adds the
features of an earlier layer (a skip connection). Between encoders and decoders is one plain
convolution, the `middle_block`. The last layer gives each pixel three probabilities: background,
people, hero. Each of these networks has one line for each row of its table in the follow-me report;
the comments give the number of the row. Model 4 has blocks of plain convolutions.

Input: (batch, height, width, 3) float, `x / 127.5 - 1` of RGB bytes, sides multiples of
`SIDE_MULTIPLE_PX`.
Output: (batch, height, width, 3) probabilities, channels as in `messages.MaskClass`.

A network is data, an `Architecture`, and `apply` builds it from Keras layers. From a `keras.Input`
it makes a Keras model (`keras_model`), on any Keras backend. A tensor of `onnx_model` has its own
layers, and the same lines make an ONNX model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from followme_uav.config import INPUT_SIZE_PX as INPUT_SIZE_PX
from followme_uav.config import SIDE_MULTIPLE_PX as SIDE_MULTIPLE_PX
from followme_uav.perception.architecture import CLASSES as CLASSES
from followme_uav.perception.architecture import (
    CONVOLUTIONS,
    IMAGE,
    Architecture,
    Interpolation,
    Kind,
    Layer,
)

if TYPE_CHECKING:
    import keras

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.97
"""Running statistics converge within ~100 steps, so a short training is usable for inference."""


def model1() -> Architecture:
    """Model 1, deep, with a 1x1 convolution (table 2 of the report); 48,250 parameters."""
    net = Blocks()
    half = net.encoder_block(IMAGE, 32, strides=2, name="encoder1")  # row 1
    quarter = net.encoder_block(half, 64, strides=2, name="encoder2")  # row 2
    eighth = net.encoder_block(quarter, 128, strides=2, name="encoder3")  # row 3
    x = net.middle_block(eighth, 128, 1, name="middle")  # row 4
    x = net.decoder_block(x, quarter, 64, name="decoder1")  # row 5
    x = net.decoder_block(x, half, 32, name="decoder2")  # row 6
    x = net.decoder_block(x, IMAGE, 3, name="decoder3")  # row 7
    return net.with_class_probabilities(x, "model1")  # row "Output"


def model2() -> Architecture:
    """Model 2, shallow, with a 1x1 convolution (table 3 of the report); 26,777 parameters."""
    net = Blocks()
    half = net.encoder_block(IMAGE, 32, strides=2, name="encoder1")  # row 1
    quarter = net.encoder_block(half, 64, strides=2, name="encoder2")  # row 2
    x = net.middle_block(quarter, 128, 1, name="middle")  # row 3
    x = net.decoder_block(x, half, 64, name="decoder1")  # row 4
    x = net.decoder_block(x, IMAGE, 32, name="decoder2")  # row 5
    return net.with_class_probabilities(x, "model2")  # row "Output"


def model3() -> Architecture:
    """Model 3, shallow, without a 1x1 convolution (table 4 of the report); 50,457 parameters."""
    net = Blocks()
    half = net.encoder_block(IMAGE, 32, strides=2, name="encoder1")  # row 1
    quarter = net.encoder_block(half, 64, strides=2, name="encoder2")  # row 2
    x = net.middle_block(quarter, 64, 3, name="middle")  # row 3
    x = net.decoder_block(x, half, 64, name="decoder1")  # row 4
    x = net.decoder_block(x, IMAGE, 32, name="decoder2")  # row 5
    return net.with_class_probabilities(x, "model3")  # row "Output"


def model4() -> Architecture:
    """Model 4, for far heroes: 256 px, plain convolutions, a wide receptive field.

    Most of the computation is at a quarter of the resolution and below, in plain convolutions,
    which a CPU computes nearer to its limit than separable ones.
    """
    net = Blocks()
    half = net.plain_block(IMAGE, 32, strides=2, name="encoder1")
    x = net.plain_block(half, 48, strides=2, name="encoder2")
    quarter = net.plain_block(x, 48, name="encoder2b")
    x = net.plain_block(quarter, 64, strides=2, name="encoder3")
    x = net.plain_block(x, 64, name="encoder3b")
    eighth = net.plain_block(x, 64, name="encoder3c")
    x = net.plain_block(eighth, 96, strides=2, name="encoder4")
    x = net.plain_block(x, 96, name="encoder4b")
    x = net.plain_block(x, 96, name="encoder4c")
    x = net.plain_decoder_block(x, eighth, 64, name="decoder1")
    x = net.plain_decoder_block(x, quarter, 32, name="decoder2")
    x = net.plain_decoder_block(x, half, 16, name="decoder3")
    return net.with_enlarged_class_probabilities(x, "model4", trained_side_px=256)


class Blocks:
    """Builder of an architecture from blocks; each block returns the name of its last layer."""

    def __init__(self) -> None:
        self._layers: list[Layer] = []

    def encoder_block(self, x: str, filters: int, *, strides: int, name: str) -> str:
        """Add a separable 3x3 convolution, ReLU and batch normalisation.

        Args:
            x: Layer with (batch, height, width, channels) features.
            filters: Channels of the output.
            strides: 1 keeps the resolution, 2 halves it.
            name: Prefix of the layer names; part of the weights file format.

        Returns:
            Layer with (batch, height / strides, width / strides, filters) features.
        """
        return self._normalised(
            Layer(
                f"{name}_conv",
                Kind.SEPARABLE,
                (x,),
                filters=filters,
                kernel_px=3,
                stride=strides,
                activation="relu",
            ),
            name,
        )

    def middle_block(self, x: str, filters: int, size: int, *, name: str) -> str:
        """Add a plain `size` x `size` convolution, ReLU and batch normalisation."""
        return self._normalised(
            Layer(
                f"{name}_conv",
                Kind.CONVOLUTION,
                (x,),
                filters=filters,
                kernel_px=size,
                activation="relu",
            ),
            name,
        )

    def plain_block(self, x: str, filters: int, *, strides: int = 1, name: str) -> str:
        """Add a plain 3x3 convolution, batch normalisation and ReLU.

        In this order the normalisation becomes part of the convolution where the network is only
        run. Arguments and result are those of `encoder_block`.
        """
        x = self._normalised(
            Layer(
                f"{name}_conv", Kind.CONVOLUTION, (x,), filters=filters, kernel_px=3, stride=strides
            ),
            name,
        )
        return self._add(Layer(name, Kind.ACTIVATION, (x,), activation="relu"))

    def plain_decoder_block(self, small: str, skip: str, filters: int, *, name: str) -> str:
        """Double the resolution of `small`, concatenate `skip`, and add a plain block.

        `small` has `filters` channels before it is doubled. Arguments and result are those of
        `decoder_block`.
        """
        large = self._add(
            Layer(
                f"{name}_large",
                Kind.TRANSPOSED,
                (small,),
                filters=filters,
                kernel_px=2,
                factor=2,
                activation="relu",
            )
        )
        both = self._add(Layer(f"{name}_concat", Kind.CONCATENATION, (large, skip)))
        return self.plain_block(both, filters, name=name)

    def decoder_block(self, small: str, skip: str, filters: int, *, name: str) -> str:
        """Double the resolution of `small`, concatenate `skip`, and add an encoder block.

        Args:
            small: Layer with (batch, height, width, channels) features.
            skip: Earlier layer with (batch, 2 height, 2 width, other channels) features.
            filters: Channels of the output.
            name: Prefix of the layer names; part of the weights file format.

        Returns:
            Layer with (batch, 2 height, 2 width, filters) features.
        """
        large = self._add(
            Layer(
                name,
                Kind.UPSAMPLING,
                (small,),
                factor=2,
                interpolation=Interpolation.BILINEAR_TF1,
            )
        )
        both = self._add(Layer(f"{name}_concat", Kind.CONCATENATION, (large, skip)))
        return self.encoder_block(both, filters, strides=1, name=name)

    def with_class_probabilities(self, x: str, name: str) -> Architecture:
        """Add the last layer, a 1x1 convolution with softmax, and return the network."""
        self._add(
            Layer(
                "classes",
                Kind.CONVOLUTION,
                (x,),
                filters=len(CLASSES),
                activation="softmax",
            )
        )
        return Architecture(name, tuple(self._layers))

    def with_enlarged_class_probabilities(
        self, x: str, name: str, *, trained_side_px: int
    ) -> Architecture:
        """Add the last layer, which doubles the resolution, and return the network."""
        self._add(
            Layer(
                "classes",
                Kind.TRANSPOSED,
                (x,),
                filters=len(CLASSES),
                kernel_px=4,
                factor=2,
                activation="softmax",
            )
        )
        return Architecture(name, tuple(self._layers), trained_side_px=trained_side_px)

    def _normalised(self, convolution: Layer, name: str) -> str:
        return self._add(
            Layer(
                f"{name}_norm",
                Kind.NORMALISATION,
                (self._add(convolution),),
                epsilon=BATCH_NORM_EPSILON,
            )
        )

    def _add(self, layer: Layer) -> str:
        self._layers.append(layer)
        return layer.name


ARCHITECTURES: dict[str, Architecture] = {
    network.name: network for network in (model1(), model2(), model3(), model4())
}
"""The networks that can be trained, by the name stored in the weights file."""


def keras_model(architecture: str | Architecture) -> keras.Model:
    """Build a network with random weights.

    Args:
        architecture: Name in `ARCHITECTURES`, or a network of another file.
    """
    import keras

    if isinstance(architecture, str):
        architecture = ARCHITECTURES[architecture]
    image = keras.Input((None, None, 3), name=IMAGE)
    return keras.Model(image, apply(architecture, image), name=architecture.name)


def apply(architecture: Architecture, image: Any) -> Any:
    """Apply a network to an image and return the class probabilities.

    Args:
        architecture: The network.
        image: Tensor (batch, height, width, 3) of Keras or of `onnx_model`.
    """
    results = {IMAGE: image}
    for layer in architecture.layers:
        inputs = [results[name] for name in layer.inputs]
        results[layer.name] = _apply_layer(layer, inputs)
    return results[architecture.layers[-1].name]


def _apply_layer(layer: Layer, inputs: list[Any]) -> Any:
    layers, x, name = _layers_of(inputs[0]), inputs[0], layer.name
    if layer.kind in CONVOLUTIONS:
        make = {
            Kind.SEPARABLE: layers.SeparableConv2D,
            Kind.CONVOLUTION: layers.Conv2D,
            Kind.TRANSPOSED: layers.Conv2DTranspose,
        }[layer.kind]
        return make(
            layer.filters,
            layer.kernel_px,
            strides=layer.factor if layer.kind is Kind.TRANSPOSED else layer.stride,
            padding="same",
            activation=layer.activation,
            name=name,
        )(x)
    if layer.kind is Kind.NORMALISATION:
        return layers.BatchNormalization(
            epsilon=layer.epsilon, momentum=BATCH_NORM_MOMENTUM, name=name
        )(x)
    if layer.kind is Kind.UPSAMPLING:
        if layer.interpolation is Interpolation.BILINEAR_TF1:
            return bilinear_upsample(x, name=name, factor=layer.factor)
        way = layer.interpolation.value
        return layers.UpSampling2D(layer.factor, interpolation=way, name=name)(x)
    if layer.kind is Kind.CONCATENATION:
        return layers.Concatenate(name=name)(inputs)
    if layer.kind is Kind.ADDITION:
        return layers.Add(name=name)(inputs)
    if layer.kind is Kind.MAX_POOLING:
        return layers.MaxPooling2D(
            layer.kernel_px, strides=layer.stride, padding="same", name=name
        )(x)
    return layers.Activation(layer.activation, name=name)(x)


def bilinear_upsample(x: Any, *, name: str, factor: int = 2) -> Any:
    """Upsample bilinearly without the half-pixel shift, as in TensorFlow 1.

    Even rows and columns of the doubled output are those of the input, odd ones are the mean of two
    neighbours, and the last one is repeated at the edge. Repeating every pixel twice and averaging
    each 2x2 window computes the same: a window lies within one pixel or across two, and the average
    ignores what is outside the image. Larger factors repeat the doubling, which keeps values linear
    between pixels.

    Args:
        x: (batch, height, width, channels) features.
        name: Prefix of the layer names.
        factor: A power of two.
    """
    layers = _layers_of(x)
    for step in range(factor.bit_length() - 1):
        suffix = str(step + 1) if step else ""
        x = layers.UpSampling2D(2, interpolation="nearest", name=f"{name}_double{suffix}")(x)
        x = layers.AveragePooling2D(2, strides=1, padding="same", name=f"{name}_mean{suffix}")(x)
    return x


def _layers_of(x: Any) -> Any:
    """The layers to apply to `x`: its attribute `layers`, else `keras.layers`."""
    own = getattr(x, "layers", None)
    if own is not None:
        return own
    from keras import layers

    return layers
