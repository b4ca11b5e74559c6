"""GLSL programs of the scene. One pass writes two pictures: colour, and depth with object number.

The second picture holds the planar depth as a 24-bit number in red, green and blue (the unit is
`DEPTH_RANGE_M` / (2^24 - 1)) and the low byte of the object number in alpha; the alpha of the first
is the high byte. Nothing in these is blended or smoothed: what is blended into the colours (shadows
of people, rain) writes no alpha and (0, 0, 0, 0) there, and the blending is "what comes + what is *
(1 - alpha of what comes)", which leaves every bit as it is.

Panda3D's axes: x east, y north, z up.
"""

from followme_uav.sim.agents.gait import LIMBS

DEPTH_RANGE_M = 2000.0

_LIGHTS = """
uniform vec4 sun;           // direction towards it; w: strength of shadows
uniform vec3 sunlight;
uniform vec3 ambient;
uniform vec4 fog;           // colour; w: extinction per metre
uniform mat4 light_view;    // world to the shadow map's clip space
"""

_VERTEX = (
    """
#version 330
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ModelMatrix;
%(uniforms)s
in vec3 vertex;
in vec3 normal;
in vec3 uvl;
in vec4 tint;
in vec4 page;
%(inputs)s
out vec3 surface;
out vec3 skylit;
out vec3 sunlit;
out vec3 shade_at;
flat out vec2 object;       // its number: low byte, high byte
"""
    + _LIGHTS
    + """
void main() {
    vec3 position = vertex;
    vec3 facing = normal;
    %(move)s
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(position, 1.0);
    surface = uvl;
    object = vec2(tint.a, page.x);
    vec3 n = normalize(mat3(p3d_ModelMatrix) * facing);
    float lambert = max(dot(n, sun.xyz), 0.0);
    skylit = tint.rgb * ambient * (%(ambient)s + %(sky)s * n.z);
    sunlit = tint.rgb * sunlight * (%(sun)s * lambert);
    // A little outwards and towards the sun, or surfaces would shade themselves.
    vec4 world = p3d_ModelMatrix * vec4(position, 1.0);
    world.xyz += 0.06 * n + 0.10 * sun.xyz;
    shade_at = (light_view * world).xyz * 0.5 + 0.5;
}
"""
)

_LIMB = """
    vec4 turn = limbs[(int(tint.a * 255.0 + 0.5) - FIRST_PERSON) * LIMBS + int(limb + 0.5)];
    mat2 about = mat2(turn.x, turn.y, -turn.y, turn.x);
    position.yz = about * position.yz + turn.zw;
    facing.yz = about * facing.yz;
"""

_MEASURE = """
vec4 measure(float depth_m, float number) {
    float share = min(depth_m, RANGE) / RANGE * 16777215.0;
    float whole = floor(share + 0.5);
    float high = floor(whole / 65536.0);
    float middle = floor((whole - high * 65536.0) / 256.0);
    float low = whole - high * 65536.0 - middle * 256.0;
    return vec4(vec3(high, middle, low) / 255.0, number);
}
""".replace("RANGE", f"{DEPTH_RANGE_M:.1f}")

_FRAGMENT = (
    """
#version 330
uniform sampler2DArray pictures;
uniform sampler2DShadow shades;
in vec3 surface;
in vec3 skylit;
in vec3 sunlit;
in vec3 shade_at;
flat in vec2 object;
layout(location = 0) out vec4 rgb;
layout(location = 1) out vec4 measured;
uniform vec4 glow;          // colour of lit windows and lamps; w: share of windows that are lit
uniform vec4 wet;           // x: how dark level ground is
"""
    + _LIGHTS
    + _MEASURE
    + """
void main() {
    vec4 texel = texture(pictures, surface);
    %(cut)s
    vec3 light = skylit + sunlit;
    if (sun.w > 0.0) light = skylit + sunlit * mix(1.0, texture(shades, shade_at), sun.w);
    vec3 seen = texel.rgb * light;
    %(shine)s
    float depth_m = 1.0 / gl_FragCoord.w;
    rgb = vec4(mix(fog.rgb, seen, exp2(-1.442695 * fog.w * depth_m)), object.y);
    measured = measure(depth_m, object.x);
}
"""
)

# Panes have an alpha between a half and one in their picture. Each window of each house draws lots.
_SHINE = """
    if (glow.w > 0.0) {
        float pane = 2.0 - 2.0 * texel.a;
        vec2 window = floor(surface.xy);
        float lot = fract(sin(dot(vec3(window, object.x * 255.0), vec3(12.9898, 78.233, 37.719)))
            * 43758.5453);
        float warm = 0.65 + 0.7 * fract(lot * 57.0);
        bool lamp = abs(surface.z - LIGHT) < 0.5;
        if (lamp || lot < glow.w) seen = mix(seen, glow.rgb * (lamp ? 1.3 : warm), pane);
    }
"""
_CUT = "if (texel.a < 0.45) discard;"


def _vertex(light: dict[str, str], uniforms: str = "", inputs: str = "", move: str = "") -> str:
    parts = {"uniforms": uniforms, "inputs": inputs, "move": move}
    return _VERTEX % {**parts, **light}


def solid_shader(light_layer: int) -> tuple[str, str]:
    """The program for houses, ground and furniture; `light_layer` is the picture of lamps."""
    return (
        _vertex({"ambient": "0.46", "sun": "0.62", "sky": "0.04"}),
        _FRAGMENT % {"cut": "", "shine": _SHINE.replace("LIGHT", f"{light_layer:.1f}")},
    )


def ground_shader() -> tuple[str, str]:
    """The program for level ground, which rain darkens."""
    return (
        _vertex({"ambient": "0.46", "sun": "0.62", "sky": "0.04"}),
        _FRAGMENT % {"cut": "", "shine": "seen *= wet.x;"},
    )


LEAVES = (
    _vertex({"ambient": "0.50", "sun": "0.60", "sky": "0.0"}),
    _FRAGMENT % {"cut": _CUT, "shine": ""},
)

SKY = (
    """
#version 330
uniform mat4 p3d_ModelViewProjectionMatrix;
in vec3 vertex;
in vec3 normal;
in vec3 uvl;
in vec4 tint;
in vec4 page;
out vec3 surface;
out vec3 towards;
flat out vec2 object;       // its number: low byte, high byte
void main() {
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(vertex, 1.0);
    surface = uvl;
    towards = -normal;
    object = vec2(tint.a, page.x);
}
""",
    """
#version 330
uniform sampler2DArray pictures;
uniform vec3 sky_low;
uniform vec3 sky_high;
uniform vec4 cloud;         // colour; w: added cover
uniform vec4 disc;          // direction of the sun itself; w: its brightness
in vec3 surface;
in vec3 towards;
flat in vec2 object;
layout(location = 0) out vec4 rgb;
layout(location = 1) out vec4 measured;
"""
    + _LIGHTS
    + _MEASURE
    + """
void main() {
    vec2 texel = texture(pictures, surface).rg;     // cover and brightness of clouds
    float up = clamp(surface.y, 0.0, 1.0);
    vec3 clear = mix(sky_low, sky_high, pow(up, 0.7));
    float near_sun = max(dot(normalize(towards), disc.xyz), 0.0);
    float bright = 0.22 * pow(near_sun, 6.0) + 1.5 * smoothstep(0.9985, 0.9995, near_sun);
    clear += disc.w * bright * sunlight;
    vec3 seen = mix(clear, cloud.rgb + (0.2 * texel.g - 0.1 * cloud.w) * cloud.rgb / 0.7,
        clamp(texel.r + cloud.w, 0.0, 1.0));
    rgb = vec4(mix(fog.rgb, seen, exp2(-110.0 * fog.w / (0.06 + up))), object.y);
    measured = measure(RANGE, object.x);
}
""".replace("RANGE", f"{DEPTH_RANGE_M:.1f}"),
)

CAST = (
    """
#version 330
uniform mat4 p3d_ModelMatrix;
uniform mat4 light_view;
in vec3 vertex;
in vec3 uvl;
out vec3 surface;
void main() {
    gl_Position = light_view * p3d_ModelMatrix * vec4(vertex, 1.0);
    surface = uvl;
}
""",
    """
#version 330
uniform sampler2DArray pictures;
in vec3 surface;
void main() {
    if (texture(pictures, surface).a < 0.45) discard;
}
""",
)
"""Fills the shadow map."""


VEIL = (
    """
#version 330
in vec3 vertex;
void main() { gl_Position = vec4(vertex.xy, 0.0, 1.0); }
""",
    """
#version 330
uniform vec4 veil;          // image height in pixels, how far the drops have fallen, amount
layout(location = 0) out vec4 rgb;
layout(location = 1) out vec4 measured;
"""
    + _LIGHTS
    + """
float lot(vec2 cell) { return fract(sin(dot(cell, vec2(12.9898, 78.233))) * 43758.5453); }
void main() {
    vec2 at = gl_FragCoord.xy / veil.x;
    float bright = 0.0;
    for (int layer = 0; layer < 2; layer++) {
        float size = layer == 0 ? 90.0 : 44.0;
        vec2 p = vec2((at.x + 0.07 * at.y) * size, at.y * (layer == 0 ? 9.0 : 5.0));
        p.y += lot(vec2(floor(p.x), 7.0)) * 9.0 + veil.y * (layer == 0 ? 7.0 : 5.0);
        float drop = lot(floor(p)) < 0.35 * veil.z ? 1.0 : 0.0;
        float across = 1.0 - smoothstep(0.05, 0.30, abs(fract(p.x) - 0.5));
        float along = fract(p.y);
        drop *= smoothstep(0.0, 0.5, along) * (1.0 - smoothstep(0.7, 1.0, along));
        bright = max(bright, drop * across);
    }
    float share = 0.26 * bright;
    rgb = vec4(share * (0.3 + 0.8 * fog.rgb), share);
    measured = vec4(0.0);
}
""",
)
"""Falling rain, over everything."""


def caster_shader(casters: int) -> tuple[str, str]:
    """Shadows of what moves: one flat soft silhouette each.

    `casters` holds (x, y, z of the ground, height); `stance` (half width, spread of the legs, 0,
    0), legs wider than the body meaning a round thing. Height 0 hides one.
    """
    return (
        """
#version 330
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform vec4 casters[N];
uniform vec4 stance[N];
in vec3 vertex;             // along 0..1, across -1..1, number
out vec2 place;
out vec3 shade_at;
flat out vec2 form;
""".replace("N", str(casters))
        + _LIGHTS
        + """
void main() {
    int i = int(vertex.z + 0.5);
    vec4 c = casters[i];
    vec2 away = -normalize(sun.xy + vec2(1e-6, 0.0));
    float reach = min(c.w * length(sun.xy) / max(sun.z, 0.05), 3.0 * c.w);
    float wide = 1.6 * stance[i].x;
    float along = mix(-0.14, 1.06 * reach, vertex.x);
    vec3 at = vec3(c.xy + along * away + vertex.y * wide * vec2(-away.y, away.x), c.z + 0.025);
    if (c.w <= 0.0) at = vec3(0.0, 0.0, -50.0);
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(at, 1.0);
    place = vec2(along / reach, vertex.y * wide);
    form = stance[i].xy;
    shade_at = (light_view * vec4(at + 0.2 * sun.xyz + vec3(0.0, 0.0, 0.1), 1.0)).xyz * 0.5 + 0.5;
}
""",
        """
#version 330
uniform sampler2DShadow shades;
in vec2 place;
in vec3 shade_at;
flat in vec2 form;
layout(location = 0) out vec4 rgb;
layout(location = 1) out vec4 measured;
uniform vec4 wet;           // y: how much of the light of level ground is the sun's
"""
        + _LIGHTS
        + """
void main() {
    float u = place.x, v = abs(place.y);
    float half_m = form.x, soft = 0.05 + 0.05 * u;
    float leg = 1.0 - smoothstep(0.065 - soft, 0.065 + soft, abs(v - form.y * (1.0 - 1.7 * u)));
    leg *= smoothstep(-0.07, 0.0, u) * (1.0 - smoothstep(0.50, 0.60, u));
    float trunk = 1.0 - smoothstep(half_m - soft, half_m + soft, v);
    trunk *= smoothstep(0.42, 0.52, u) * (1.0 - smoothstep(0.80, 0.88, u));
    float head = 1.0 - smoothstep(0.7, 1.3, length(vec2((u - 0.92) / 0.085, v / 0.11)));
    float dark = max(max(leg, trunk), head);
    if (form.y > 1.0) dark = 1.0 - smoothstep(0.6, 1.1, length(vec2(2.0 * u - 1.0, v / half_m)));
    dark *= min(1.0, 1.3 * sun.w * wet.y) * texture(shades, shade_at);
    float clear = exp2(-1.442695 * fog.w / gl_FragCoord.w);
    rgb = vec4(dark * (1.0 - clear) * fog.rgb, dark);
    measured = vec4(0.0);
}
""",
    )


def person_shader(people: int, first_id: int) -> tuple[str, str]:
    """The program for figures; `limbs` holds the rows of `gait.limb_turns` of every person."""
    move = _LIMB.replace("FIRST_PERSON", str(first_id)).replace("LIMBS", str(LIMBS))
    return (
        _vertex(
            {"ambient": "0.33", "sun": "0.80", "sky": "0.06"},
            uniforms=f"uniform vec4 limbs[{people * LIMBS}];",
            inputs="in float limb;",
            move=move,
        ),
        _FRAGMENT % {"cut": "", "shine": ""},
    )
