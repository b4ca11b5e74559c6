"""What the networks are made of and what they cost: the `models` command.

All numbers are read from the Keras networks as built, none is written down a second time. A row is
a convolution with what belongs to it: its normalisation and, in a decoder, the up-sampling and the
skip connection before it. Every count comes with its formula, a Python expression to check it by.

Multiply-adds are those of convolutions: one for each weight and each pixel of the result. What
biases, normalisations and up-sampling add is about one part in a hundred and is left out.
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
class Count:
    """How many multiplications something takes, and why."""

    formula: str
    """A sum of products, e.g. `40*40*3*3*32 + 40*40*32*64`."""
    multiplications: int


@dataclass(frozen=True)
class LayerSummary:
    """One row of a network's table."""

    name: str
    inputs: tuple[str, ...]
    """Rows whose results go in; two in a decoder: what is up-sampled, and the skip connection."""
    width_px: int
    """Of the result."""
    height_px: int
    depth: int
    kernel: str
    stride: int | None
    parameters: int
    """Weights, biases, and four numbers per channel of the normalisation."""
    multiply_adds: Count


@dataclass(frozen=True)
class NetworkSummary:
    """A network's table and totals."""

    name: str
    layers: tuple[LayerSummary, ...]
    parameters: int
    multiply_adds: int
    receptive_field_px: int
    """Side of the square of the image that one pixel of the result depends on."""


@dataclass(frozen=True)
class WorkedExample:
    """The same layer computed in two ways."""

    question: str
    direct: Count
    cheaper: Count
    times_cheaper: float


def summarise(
    network: keras.Model,
    size_px: tuple[int, int] = (INPUT_SIZE_PX, INPUT_SIZE_PX),
    side_multiple_px: int = SIDE_MULTIPLE_PX,
) -> NetworkSummary:
    """Reads table and totals off a network.

    Args:
        network: Of `models.keras_model`.
        size_px: Height and width of the image that sizes and multiply-adds are for.
        side_multiple_px: Image sides are multiples of this.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    """Of each Keras layer's result: (batch, height, width, depth)."""
    row_of: dict[str, str] = {}
    """The row that each Keras layer's result belongs to."""
    rows: list[LayerSummary] = []
    for layer in network.layers:
        sources = _sources(layer)
        if not sources:
            shapes[layer.name] = (1, *size_px, layer.output.shape[-1])
            row_of[layer.name] = layer.name
            rows.append(_row(layer.name, (), shapes[layer.name], "", None, 0, Count("0", 0)))
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
    """Side of the square of the image that one pixel of the result depends on.

    Goes from a pixel of the result back to the image, layer by layer, and notes the first and last
    row that are needed. Strides and up-sampling make it depend on where the pixel lies; this is the
    largest, well inside the image.
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
    """The two savings that the networks are built on, in the report's numbers."""
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
    """Prints tables, totals and examples.

    Args:
        as_json: Print JSON instead.
        weights: Show the network of this file only, without the examples.

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
    side = math.ceil(INPUT_SIZE_PX / multiple) * multiple
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
    cost: Count,
) -> LayerSummary:
    _, height_px, width_px, depth = shape
    return LayerSummary(name, inputs, width_px, height_px, depth, kernel, stride, parameters, cost)


def _example(question: str, direct: Count, cheaper: Count) -> WorkedExample:
    times = direct.multiplications / cheaper.multiplications
    return WorkedExample(question, direct, cheaper, round(times, 2))


def _chain_cost(shape: tuple[int, int, int], layers: Iterable[Any]) -> Count:
    """Of layers applied one after the other to (height, width, depth)."""
    costs = []
    current: tuple[int, ...] = (1, *shape)
    for layer in layers:
        layer.build(current)
        current = tuple(layer.compute_output_shape(current))
        costs.append(_cost(layer, current))
    return Count(" + ".join(c.formula for c in costs), sum(c.multiplications for c in costs))


def _cost(convolution: Any, shape: tuple[int, ...]) -> Count:
    """Of one convolution: for each pixel of the result, each weight once."""
    _, height, width, _ = shape
    kernels = [tuple(w.shape) for w in convolution.weights if w.path.endswith("kernel")]
    # A weight's shape is (height, width, depth in, depth out); a factor of 1 says nothing.
    products = [[height, width, *(n for n in kernel if n != 1)] for kernel in kernels]
    return Count(
        " + ".join("*".join(map(str, factors)) for factors in products),
        sum(math.prod(factors) for factors in products),
    )


def _kernel(convolution: Any) -> str:
    height, width = convolution.kernel_size
    kind = " separable" if "Separable" in type(convolution).__name__ else ""
    return f"{height}x{width}{kind}"


def _is_convolution(layer: Any) -> bool:
    return hasattr(layer, "kernel_size")


def _sources(layer: Any) -> list[str]:
    """Names of the layers whose results go into this one."""
    return [node.operation.name for node in layer._inbound_nodes[0].parent_nodes]


def _rows_needed(layer: Any, first: int, last: int) -> tuple[int, int]:
    """Rows of a layer's input that rows `first` to `last` of its result depend on."""
    kind = type(layer).__name__
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
    raise TypeError(f"layer {layer.name}: say here which rows a {kind} depends on")


def _window(first: int, last: int, size: int, stride: int) -> tuple[int, int]:
    """Rows under a window with padding 'same', on sides that the stride divides."""
    before = max(size - stride, 0) // 2  # the odd row of padding goes after the image
    return first * stride - before, last * stride - before + size - 1
