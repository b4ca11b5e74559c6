"""Description of an ONNX network, `NAME.yaml` beside `NAME.onnx`: how to use it as a segmenter.

An ONNX file tells neither how its input is scaled nor the meaning of its output channels.

    classes: {people: [15], hero: 20}   # channels of the output; all others are background
    activation: softmax                 # still to be applied: softmax, sigmoid or none
    divide_by: 255                      # of the bytes; then (value - mean) / std
    mean: [0.485, 0.456, 0.406]
    std: [0.229, 0.224, 0.225]
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, model_validator

from followme_uav.config import (
    INPUT_SIZE_PX,
    SIDE_MULTIPLE_PX,
    Number,
    Positive,
    Section,
    read_yaml,
    validated,
)
from followme_uav.config.schema import MAX_HEIGHT_PX, MIN_SIDE_PX
from followme_uav.errors import ConfigError, WeightsError
from followme_uav.files import write_text

ENDINGS = (".yaml", ".yml", ".json")
MAX_DESCRIPTION_BYTES = 64 << 10
_MAX_CARD_BYTES = 16 << 20
MAX_SIDE_PX = 2048
MAX_SIDE_MULTIPLE_PX = 256
MAX_CLASSES = 1024

Layout = Literal["nhwc", "nchw"]


def _several(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


Channel = Annotated[int, Field(ge=0, lt=MAX_CLASSES)]
Channels = Annotated[tuple[Channel, ...], BeforeValidator(_several)]
Side = Annotated[int, Field(ge=8, le=MAX_SIDE_PX)]
TrainedWidth = Annotated[int, Field(ge=MIN_SIDE_PX, le=MAX_HEIGHT_PX, multiple_of=SIDE_MULTIPLE_PX)]
Three = tuple[Number, Number, Number]


class ClassChannels(Section):
    """Channels of the network's output by class; each a number, or a list of numbers."""

    hero: Annotated[Channels, Field(min_length=1)]
    people: Channels = ()
    background: Channels = ()
    """Empty: all channels of no other class; without any, the rest to 1."""

    @model_validator(mode="after")
    def _distinct(self) -> ClassChannels:
        every = (*self.hero, *self.people, *self.background)
        if len(set(every)) != len(every):
            raise ValueError("a channel belongs to one class only")
        return self


class NetworkDescription(Section):
    """How to use an ONNX network as a segmenter."""

    classes: ClassChannels
    activation: Literal["none", "softmax", "sigmoid"] = "none"
    """To be applied to the output; `none`: it holds probabilities."""
    width_px: Side | None = None
    """Size of the images that the network gets; without it that of the network, else of the
    camera."""
    height_px: Side | None = None
    trained_width_px: TrainedWidth = INPUT_SIZE_PX
    """Width of the frames of its training, for a field of view of 60 degrees; `camera` has the key
    too."""
    side_multiple_px: Annotated[int, Field(ge=1, le=MAX_SIDE_MULTIPLE_PX)] = 1
    """Images get repeated last rows and columns until their sides are multiples of this."""
    layout: Layout | None = None
    """Order of the input's axes; without it by the axis that has 3 channels."""
    channels: Literal["rgb", "bgr"] = "rgb"
    divide_by: Positive | None = None
    """The bytes 0..255 are divided by this; not for networks that take bytes."""
    mean: Three = (0.0, 0.0, 0.0)
    """Subtracted after the division, in the order of `channels`."""
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)
    """Divided by after that."""
    output: str | None = None
    """Name of the output, where there are several."""

    @model_validator(mode="after")
    def _complete(self) -> NetworkDescription:
        if (self.width_px is None) != (self.height_px is None):
            raise ValueError("give both width_px and height_px, or neither")
        return self

    @property
    def size_px(self) -> tuple[int, int] | None:
        """Height and width, if given."""
        if self.height_px is None or self.width_px is None:
            return None
        return self.height_px, self.width_px


def description_file(network: Path) -> Path:
    """Return the description beside an ONNX network; the model card of a training is none.

    Raises:
        WeightsError: There is none, or several.
    """
    beside = [file for end in ENDINGS if (file := network.with_suffix(end)).is_file()]
    found = [file for file in beside if not _is_model_card(file)]
    if len(found) == 1:
        return found[0]
    wanted = network.with_suffix(ENDINGS[0])
    if found:
        names = " and ".join(file.name for file in found)
        raise WeightsError(f"{network}: is described by {names}; leave one of them")
    raise WeightsError(
        f"{network}: needs {wanted.name} beside it, which tells what its channels mean, such as "
        "'classes: {people: 1, hero: 2}'; see docs/extending.md"
    )


def _is_model_card(file: Path) -> bool:
    """Whether `train` wrote the file beside the weights that were exported."""
    try:
        if file.suffix != ".json" or file.stat().st_size > _MAX_CARD_BYTES:
            return False
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and {"weights_sha256", "stages"} <= content.keys()


def read_description(network: Path) -> NetworkDescription:
    """Read the description beside an ONNX network; raises `WeightsError`, naming file and key."""
    file = description_file(network)
    try:
        if file.stat().st_size > MAX_DESCRIPTION_BYTES:
            raise WeightsError(f"{file}: too large for the description of a network")
        return validated(NetworkDescription, read_yaml(file), file)
    except ConfigError as error:
        raise WeightsError(str(error)) from error


def check_replaceable(file: Path) -> None:
    """Raise `WeightsError` where a file exists that describes no network."""
    if file.exists():
        try:
            validated(NetworkDescription, read_yaml(file), file)
        except ConfigError as error:
            raise WeightsError(
                f"{file}: exists, and describes no network; choose another name for the ONNX file"
            ) from error


def write_description(file: Path, content: NetworkDescription) -> None:
    """Write a description with the keys that differ from the defaults."""
    data = content.model_dump(mode="json", exclude_defaults=True)
    data["classes"] = {
        name: channels[0] if len(channels) == 1 else channels
        for name, channels in data["classes"].items()
    }
    head = "# How followme-uav uses the ONNX network of the same name; keys: docs/extending.md\n"
    write_text(file, head + yaml.safe_dump(data, sort_keys=False))
