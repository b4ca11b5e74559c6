"""Layers, parameters and multiply-adds of the networks: the `models` command.

All numbers are read from the Keras networks as built. A row is a convolution with its normalisation
and, in a decoder, the upsampling and the skip connection before it. Every count has its formula, a
Python expression that checks it.

Multiply-adds are those of convolutions: one for each weight and each pixel of the output; of
transposed ones, each pixel of the input. Biases, normalisations and upsampling would add about one
percent and are left out.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from followme_uav.perception.architecture import Architecture
from followme_uav.perception.models import (
    ARCHITECTURES,
    INPUT_SIZE_PX,
    SIDE_MULTIPLE_PX,
    keras_model,
)
from followme_uav.perception.weights import read_weights
from followme_uav.terminal import make_console, print_table

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class MultiplicationCount:
    """Number of multiplications, with its formula."""

    formula: str
    """A sum of products, e.g. `40*40*3*3*32 + 40*40*32*64`."""
    multiplications: int


@dataclass(frozen=True)
class LayerSummary:
    """One row of a network's table."""

    name: str
    inputs: tuple[str, ...]
    """Rows that feed this one; in a decoder two: the upsampled one, and the skip connection."""
    width_px: int
    """Width of the output."""
    height_px: int
    depth: int
    kernel: str
    stride: int | None
    parameters: int
    """Weights, biases, and four values per channel of the normalisation."""
    multiply_adds: MultiplicationCount


@dataclass(frozen=True)
class NetworkSummary:
    """Table and totals of a network."""

    name: str
    layers: tuple[LayerSummary, ...]
    parameters: int
    multiply_adds: int
    receptive_field_px: int
    """Side of the square of the image that one output pixel depends on."""


@dataclass(frozen=True)
class WorkedExample:
    """Cost of one layer computed in two ways."""

    question: str
    direct: MultiplicationCount
    cheaper: MultiplicationCount
    times_cheaper: float


def summarise(
    network: keras.Model,
    size_px: tuple[int, int] = (INPUT_SIZE_PX, INPUT_SIZE_PX),
    side_multiple_px: int = SIDE_MULTIPLE_PX,
) -> NetworkSummary:
    """Read table and totals from a network.

    Args:
        network: Result of `models.keras_model`.
        size_px: Height and width of the image for sizes and multiply-adds.
        side_multiple_px: Image sides are multiples of this.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    """Output shape of each Keras layer: (batch, height, width, depth)."""
    row_of: dict[str, str] = {}
    """Row that the output of each Keras layer belongs to."""
    rows: list[LayerSummary] = []
    for layer in network.layers:
        sources = _sources(layer)
        if not sources:
            shapes[layer.name] = (1, *size_px, layer.output.shape[-1])
            row_of[layer.name] = layer.name
            rows.append(
                _row(layer.name, (), shapes[layer.name], "", None, 0, MultiplicationCount("0", 0))
            )
            continue
        before = [shapes[s] for s in sources]
        shape = tuple(layer.compute_output_shape(before if len(before) > 1 else before[0]))
        shapes[layer.name] = shape
        if not _is_convolution(layer):
            row_of[layer.name] = " + ".join(dict.fromkeys(row_of[s] for s in sources))
            continue
        name = layer.name.removesuffix("_conv")
        row_of[layer.name] = name
        norms = [x for x in network.layers if _sources(x) == [layer.name]]
        parameters = sum(x.count_params() for x in [layer, *norms])
        inputs = tuple(row_of[sources[0]].split(" + "))
        stride = layer.strides[0]
        rows.append(
            _row(name, inputs, shape, _kernel(layer), stride, parameters, _cost(layer, shape))
        )
    return NetworkSummary(
        name=network.name,
        layers=tuple(rows),
        parameters=network.count_params(),
        multiply_adds=sum(row.multiply_adds.multiplications for row in rows),
        receptive_field_px=receptive_field_px(network, side_multiple_px),
    )


def receptive_field_px(network: keras.Model, side_multiple_px: int = SIDE_MULTIPLE_PX) -> int:
    """Compute the side of the square of the image that one output pixel depends on.

    It follows the first and the last row that are needed from an output pixel back to the image,
    layer by layer. With strides and upsampling the side depends on the position of the pixel; the
    result is the largest, far from the edges of the image.
    """
    sides = []
    for pixel in range(10_000, 10_000 + side_multiple_px):
        needed = {network.layers[-1].name: (pixel, pixel)}
        for layer in reversed(network.layers):
            first, last = _rows_needed(layer, *needed[layer.name])
            for source in _sources(layer):
                low, high = needed.get(source, (first, last))
                needed[source] = (min(low, first), max(high, last))
        first, last = needed[network.layers[0].name]
        sides.append(last - first + 1)
    return max(sides)


def worked_examples() -> tuple[WorkedExample, ...]:
    """Compute the two savings of the networks, with the numbers of the report."""
    from keras import layers

    same = {"padding": "same"}
    wide = _chain_cost((28, 28, 192), [layers.Conv2D(32, 5, **same)])
    reduced = _chain_cost((28, 28, 192), [layers.Conv2D(16, 1), layers.Conv2D(32, 5, **same)])
    plain = _chain_cost((40, 40, 32), [layers.Conv2D(64, 3, **same)])
    separable = _chain_cost((40, 40, 32), [layers.SeparableConv2D(64, 3, **same)])
    return (
        _example(
            "5x5 convolution, 32 filters, of 28x28x192: at once, or after a 1x1 convolution "
            "to depth 16",
            wide,
            reduced,
        ),
        _example(
            "3x3 convolution with 64 filters to 40x40 from depth 32 (encoder2): plain, or "
            "separable (3x3 on each channel by itself, then 1x1)",
            plain,
            separable,
        ),
    )


def show(as_json: bool = False, weights: Path | None = None) -> None:
    """Print tables, totals and examples.

    Args:
        as_json: Print JSON instead.
        weights: Print only the network of this file, without the examples.

    Raises:
        WeightsError: The weights cannot be used.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no start-up lines beside the tables
    if weights is None:
        networks = [_summary_of(network) for network in ARCHITECTURES.values()]
        examples = worked_examples()
    else:
        networks, examples = [_summary_of(read_weights(weights).network)], ()
    if as_json:
        image = networks[0].layers[0]
        content = {
            "image_side_px": max(image.width_px, image.height_px),
            "networks": [asdict(network) for network in networks],
            "examples": [asdict(example) for example in examples],
        }
        print(json.dumps(content, indent=2))
        return
    console = make_console()
    for network in networks:
        print_table(_table(network), console)
        console.print(
            f"receptive field {network.receptive_field_px} x {network.receptive_field_px} pixels\n"
        )
    if examples:
        console.print("Multiplications", style="italic")
    for example in examples:
        console.print(f"{example.question}:")
        console.print(f"  {example.direct.formula} = {example.direct.multiplications:,}")
        console.print(f"  {example.cheaper.formula} = {example.cheaper.multiplications:,}")
        console.print(f"  {example.times_cheaper:.2f} times fewer\n")


def _summary_of(network: Architecture) -> NetworkSummary:
    multiple = math.lcm(SIDE_MULTIPLE_PX, network.side_multiple_px)
    side = math.ceil(network.trained_side_px / multiple) * multiple
    return summarise(keras_model(network), network.input_size_px or (side, side), multiple)


def _table(network: NetworkSummary) -> Table:
    image = network.layers[0]
    table = Table(
        title=f"{network.name}, image {image.width_px} x {image.height_px}",
        box=box.SIMPLE_HEAD,
        padding=(0, 0),
        pad_edge=False,
        show_footer=True,
    )
    table.add_column("layer", "total")
    table.add_column("skip")
    for column in ("W", "H", "D"):
        table.add_column(column, justify="right")
    table.add_column("kernel")
    table.add_column("stride", justify="right")
    table.add_column("parameters", f"{network.parameters:,}", justify="right")
    table.add_column("multiply-adds", f"{network.multiply_adds:,}", justify="right")
    for row in network.layers:
        table.add_row(
            row.name,
            ", ".join(row.inputs[1:]),
            str(row.width_px),
            str(row.height_px),
            str(row.depth),
            row.kernel,
            "" if row.stride is None else str(row.stride),
            f"{row.parameters:,}",
            f"{row.multiply_adds.multiplications:,}",
        )
    return table


def _row(
    name: str,
    inputs: tuple[str, ...],
    shape: tuple[int, ...],
    kernel: str,
    stride: int | None,
    parameters: int,
    cost: MultiplicationCount,
) -> LayerSummary:
    _, height_px, width_px, depth = shape
    return LayerSummary(name, inputs, width_px, height_px, depth, kernel, stride, parameters, cost)


def _example(
    question: str, direct: MultiplicationCount, cheaper: MultiplicationCount
) -> WorkedExample:
    times = direct.multiplications / cheaper.multiplications
    return WorkedExample(question, direct, cheaper, round(times, 2))


def _chain_cost(shape: tuple[int, int, int], layers: Iterable[Any]) -> MultiplicationCount:
    """Cost of layers that are applied one after the other to (height, width, depth)."""
    costs = []
    current: tuple[int, ...] = (1, *shape)
    for layer in layers:
        layer.build(current)
        current = tuple(layer.compute_output_shape(current))
        costs.append(_cost(layer, current))
    return MultiplicationCount(
        " + ".join(c.formula for c in costs), sum(c.multiplications for c in costs)
    )


def _cost(convolution: Any, shape: tuple[int, ...]) -> MultiplicationCount:
    """Cost of one convolution: one multiplication for each output pixel and weight.

    A transposed convolution has one for each input pixel and weight.
    """
    _, height, width, _ = shape
    if _is_transposed(convolution):
        height, width = (side // convolution.strides[0] for side in (height, width))
    kernels = [tuple(w.shape) for w in convolution.weights if w.path.endswith("kernel")]
    # The shape of a weight is (height, width, depth in, depth out), or with the depths in the other
    # order (transposed). Factors of 1 are left out.
    products = [[height, width, *(n for n in kernel if n != 1)] for kernel in kernels]
    return MultiplicationCount(
        " + ".join("*".join(map(str, factors)) for factors in products),
        sum(math.prod(factors) for factors in products),
    )


def _kernel(convolution: Any) -> str:
    height, width = convolution.kernel_size
    kind = " separable" if "Separable" in type(convolution).__name__ else ""
    kind = " transposed" if _is_transposed(convolution) else kind
    return f"{height}x{width}{kind}"


def _is_convolution(layer: Any) -> bool:
    return hasattr(layer, "kernel_size")


def _is_transposed(layer: Any) -> bool:
    return type(layer).__name__ == "Conv2DTranspose"


def _sources(layer: Any) -> list[str]:
    """Names of the layers that feed this one."""
    return [node.operation.name for node in layer._inbound_nodes[0].parent_nodes]


def _rows_needed(layer: Any, first: int, last: int) -> tuple[int, int]:
    """First and last input row that the output rows `first` to `last` of a layer depend on."""
    kind = type(layer).__name__
    if _is_transposed(layer):
        return _transposed_window(first, last, layer.kernel_size[0], layer.strides[0])
    if _is_convolution(layer):
        return _window(first, last, layer.kernel_size[0], layer.strides[0])
    if kind in ("AveragePooling2D", "MaxPooling2D"):
        return _window(first, last, layer.pool_size[0], layer.strides[0])
    if kind == "UpSampling2D" and layer.interpolation == "bilinear":
        factor = layer.size[0]  # between the centres of two rows
        return (2 * first + 1 - factor) // (2 * factor), (2 * last + 1 + factor) // (2 * factor)
    if kind == "UpSampling2D":
        return first // layer.size[0], last // layer.size[0]
    if kind in ("InputLayer", "BatchNormalization", "Concatenate", "Add", "Activation"):
        return first, last
    raise TypeError(f"layer {layer.name}: the rows that a {kind} depends on are not defined here")


def _transposed_window(first: int, last: int, size: int, factor: int) -> tuple[int, int]:
    """Input rows of a transposed convolution with padding 'same'."""
    before = (size - factor) // 2
    return -((size - 1 - first - before) // factor), (last + before) // factor


def _window(first: int, last: int, size: int, stride: int) -> tuple[int, int]:
    """Input rows of a window with padding 'same', for sides that the stride divides."""
    before = max(size - stride, 0) // 2  # an odd row of padding is added after the image
    return first * stride - before, last * stride - before + size - 1
