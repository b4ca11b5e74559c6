"""Parts that several shaders share."""

from __future__ import annotations

from typing import NamedTuple

DEPTH_RANGE_M = 2000.0
"""The largest depth that can be written; farther surfaces get this one."""


class ShaderSource(NamedTuple):
    """GLSL source of one program."""

    vertex: str
    fragment: str


def number(value: float) -> str:
    """A GLSL float literal."""
    return f"{value:.1f}"


LIGHTS = """
uniform vec4 sun;           // direction towards the sun; w: strength of shadows
uniform vec3 sunlight;
uniform vec3 ambient;
uniform vec4 fog;           // colour; w: extinction per metre
uniform mat4 light_view;    // world to the clip space of the shadow map
"""
"""Uniforms that `lighting` sets on the root node."""

OUTPUTS = """
layout(location = 0) out vec4 colour_out;
layout(location = 1) out vec4 depth_out;
"""
"""Colour with the high byte of the object number, depth with the low byte."""

ENCODE_DEPTH = """
vec4 encode_depth(float depth_m, float number_low) {
    float share = min(depth_m, RANGE) / RANGE * 16777215.0;
    float whole = floor(share + 0.5);
    float high = floor(whole / 65536.0);
    float middle = floor((whole - high * 65536.0) / 256.0);
    float low = whole - high * 65536.0 - middle * 256.0;
    return vec4(vec3(high, middle, low) / 255.0, number_low);
}
""".replace("RANGE", number(DEPTH_RANGE_M))
