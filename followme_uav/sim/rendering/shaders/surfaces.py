"""Shaders of lit surfaces: solids, ground, leaves, people."""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.sim.agents.gait import LIMBS
from followme_uav.sim.rendering.shaders.glsl import (
    ENCODE_DEPTH,
    LIGHTS,
    OUTPUTS,
    ShaderSource,
    number,
)
from followme_uav.sim.rendering.textures.layers import TextureLayer

_VERTEX = (
    """
#version 330
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ModelMatrix;
%(declarations)s
in vec3 vertex;
in vec3 normal;
in vec3 uvl;
in vec4 tint;
in vec4 number_high;
out vec3 texture_at;        // u, v, layer
out vec3 ambient_light;
out vec3 direct_light;
out vec3 shadow_at;
flat out vec2 object_number;    // low byte, high byte
"""
    + LIGHTS
    + """
void main() {
    vec3 position = vertex;
    vec3 facing = normal;
    %(move)s
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(position, 1.0);
    texture_at = uvl;
    object_number = vec2(tint.a, number_high.x);
    vec3 n = normalize(mat3(p3d_ModelMatrix) * facing);
    float lambert = max(dot(n, sun.xyz), 0.0);
    ambient_light = tint.rgb * ambient * (%(ambient)s + %(sky)s * n.z);
    direct_light = tint.rgb * sunlight * (%(sun)s * lambert);
    // Offset outwards and towards the sun, so that a surface does not shade itself.
    vec4 world = p3d_ModelMatrix * vec4(position, 1.0);
    world.xyz += 0.06 * n + 0.10 * sun.xyz;
    shadow_at = (light_view * world).xyz * 0.5 + 0.5;
}
"""
)

_TURN_LIMB = """
    int person = int(tint.a * 255.0 + 0.5) - FIRST_PERSON;
    vec4 turn = limbs[person * LIMBS + int(limb + 0.5)];
    mat2 rotation = mat2(turn.x, turn.y, -turn.y, turn.x);
    position.yz = rotation * position.yz + turn.zw;
    facing.yz = rotation * facing.yz;
"""

_FRAGMENT = (
    """
#version 330
uniform sampler2DArray city_textures;
uniform sampler2DShadow shadow_map;
in vec3 texture_at;
in vec3 ambient_light;
in vec3 direct_light;
in vec3 shadow_at;
flat in vec2 object_number;
uniform vec4 glow;          // colour of lit windows and lamps; w: share of windows that are lit
uniform vec4 ground_light;  // x: factor on the brightness of level ground
"""
    + OUTPUTS
    + LIGHTS
    + ENCODE_DEPTH
    + """
void main() {
    vec4 texel = texture(city_textures, texture_at);
    %(cut)s
    vec3 light = ambient_light + direct_light;
    if (sun.w > 0.0)
        light = ambient_light + direct_light * mix(1.0, texture(shadow_map, shadow_at), sun.w);
    vec3 radiance = texel.rgb * light;
    %(finish)s
    float depth_m = 1.0 / gl_FragCoord.w;
    vec3 hazy = mix(fog.rgb, radiance, exp2(-1.442695 * fog.w * depth_m));
    colour_out = vec4(hazy, object_number.y);
    depth_out = encode_depth(depth_m, object_number.x);
}
"""
)

# Panes have an alpha from 0.5 to 1 in their texture. A hash of building and window decides which
# windows are lit.
_LIT_WINDOWS = """
    if (glow.w > 0.0) {
        float pane = 2.0 - 2.0 * texel.a;
        vec2 window = floor(texture_at.xy);
        vec3 key = vec3(window, object_number.x * 255.0);
        float draw = fract(sin(dot(key, vec3(12.9898, 78.233, 37.719))) * 43758.5453);
        float warmth = 0.65 + 0.7 * fract(draw * 57.0);
        bool is_lamp = abs(texture_at.z - LIGHT_LAYER) < 0.5;
        if (is_lamp || draw < glow.w)
            radiance = mix(radiance, glow.rgb * (is_lamp ? 1.3 : warmth), pane);
    }
""".replace("LIGHT_LAYER", number(TextureLayer.LIGHT))
_CUT_OUT = "if (texel.a < 0.45) discard;"


@dataclass(frozen=True)
class _Shading:
    """Factors on ambient light and sunlight; `sky` adds ambient light to what faces up."""

    ambient: str
    sun: str
    sky: str


_SOLID = _Shading(ambient="0.46", sun="0.62", sky="0.04")
_FOLIAGE = _Shading(ambient="0.50", sun="0.60", sky="0.0")
_PERSON = _Shading(ambient="0.33", sun="0.80", sky="0.06")


def _source(
    shading: _Shading, *, declarations: str = "", move: str = "", cut: str = "", finish: str = ""
) -> ShaderSource:
    vertex = _VERTEX % {"declarations": declarations, "move": move, **vars(shading)}
    return ShaderSource(vertex, _FRAGMENT % {"cut": cut, "finish": finish})


SOLIDS = _source(_SOLID, finish=_LIT_WINDOWS)
"""Buildings, furniture, cars: whatever can have a lit window or lamp."""
GROUND = _source(_SOLID, finish="radiance *= ground_light.x;")
"""Level ground, which rain darkens."""
LEAVES = _source(_FOLIAGE, cut=_CUT_OUT)


def people_shader(people: int, first_number: int) -> ShaderSource:
    """The shader of figures.

    Args:
        people: Number of figures; the uniform `limbs` holds the rows of `gait.limb_turns` of each.
        first_number: Object number of the first figure.
    """
    move = _TURN_LIMB.replace("FIRST_PERSON", str(first_number)).replace("LIMBS", str(LIMBS))
    declarations = f"uniform vec4 limbs[{people * LIMBS}];\nin float limb;"
    return _source(_PERSON, declarations=declarations, move=move)
