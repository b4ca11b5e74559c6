"""Converts between the forms of structs that servers of AirSim's RPC send and accept.

AirSim and Cosys-AirSim send structs as maps keyed by field name; Colosseum from 2.3 on sends them
as arrays in the same order. Cosys-AirSim has no parameter `external` in its camera methods and adds
`annotation_name` to image requests. In the rest of the program a struct is a dict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from followme_uav.rpc.struct_fields import STRUCTS

DialectName = Literal["maps", "arrays", "cosys"]

COSYS_VERSION = 4

_NESTED = {
    struct: tuple((name, kind) for name, kind in fields if kind is not None)
    for struct, fields in STRUCTS.items()
}
"""Fields of each struct that are structs or lists of structs."""
_FLAT = {
    struct: {name for name, _ in fields}
    for struct, fields in STRUCTS.items()
    if not _NESTED[struct]
}
"""Field names of the structs without such fields. Vectors, the most frequent, are among them."""


@dataclass(frozen=True)
class Dialect:
    """The form in which one server expects structs and camera calls."""

    name: DialectName

    @property
    def arrays(self) -> bool:
        """Whether structs are sent as arrays."""
        return self.name == "arrays"

    def write(self, value: Any) -> Any:
        """Convert a parameter made of dicts to the server's form."""
        if isinstance(value, dict):
            items = {key: self.write(item) for key, item in value.items()}
            return list(items.values()) if self.arrays else items
        if isinstance(value, list):
            return [self.write(item) for item in value]
        return value

    def read(self, struct: str, value: Any) -> dict[str, Any]:
        """Convert a reply of either form to a dict.

        Raises:
            ValueError: The reply is not such a struct.
        """
        if isinstance(value, dict) and value.keys() == _FLAT.get(struct):
            return value
        fields = STRUCTS[struct]
        if isinstance(value, list):
            if len(value) < len(fields):
                raise ValueError(f"{struct} has {len(value)} fields instead of {len(fields)}")
            value = dict(zip((name for name, _ in fields), value, strict=False))
        if not isinstance(value, dict):
            raise ValueError(f"{struct} is a {type(value).__name__}")
        result = {name: value.get(name) for name, _ in fields}
        for name, kind in _NESTED[struct]:
            inner = result[name]
            if inner is None:
                continue
            if kind.startswith("["):
                result[name] = [self.read(kind[1:-1], item) for item in inner]
            else:
                result[name] = self.read(kind, inner)
        return result

    def image_request(
        self, camera_name: str, image_type: int, *, as_float: bool = False
    ) -> dict[str, Any]:
        """Return an ImageRequest for raw 8-bit pixels, or for floats."""
        request = {
            "camera_name": camera_name,
            "image_type": image_type,
            "pixels_as_float": as_float,
            "compress": False,
        }
        return request | {"annotation_name": ""} if self.name == "cosys" else request

    def camera_params(self, *params: Any) -> Sequence[Any]:
        """Return a camera method's parameters, with `external` last where the server has it."""
        return params if self.name == "cosys" else (*params, False)
