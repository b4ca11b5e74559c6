"""GLSL programs of the scene. One pass writes two pictures: colour, and depth with object number.

The second picture holds the planar depth as a 24-bit number in red, green and blue (the unit is
`DEPTH_RANGE_M` / (2^24 - 1)) and the object number in alpha; nothing is blended or smoothed.
"""

DEPTH_RANGE_M = 2000.0

_VERTEX = """
#version 330
uniform mat4 p3d_ModelViewProjectionMatrix;
uniform mat4 p3d_ModelMatrix;
%(uniforms)s
in vec3 vertex;
in vec3 normal;
in vec3 uvl;
in vec4 tint;
%(inputs)s
out vec3 surface;
out vec3 colour;
flat out float object;
uniform vec4 sun;
%(functions)s
void main() {
    vec3 position = vertex;
    vec3 facing = normal;
    %(move)s
    gl_Position = p3d_ModelViewProjectionMatrix * vec4(position, 1.0);
    surface = uvl;
    object = tint.a;
    %(light)s
    colour = tint.rgb * light * sun.w;
}
"""

_LAMBERT = """
    vec3 n = normalize(mat3(p3d_ModelMatrix) * facing);
    float lambert = max(dot(n, sun.xyz), 0.0);
    float light = %(ambient)s + %(sun)s * lambert + %(sky)s * n.z;
"""

# Thighs swing by amplitude * sin(phase), the right one opposite; a knee bends while its leg comes
# forward; arms swing against the legs, and bend more at a run. The body sinks as legs spread.
_GAIT_FUNCTIONS = """
vec3 turned(vec3 v, float angle) {
    float c = cos(angle), s = sin(angle);
    return vec3(v.x, c * v.y - s * v.z, s * v.y + c * v.z);
}
"""
_GAIT = """
    vec4 g = gait[int(tint.a * 255.0 + 0.5) - FIRST_PERSON];
    float side = limb > 4.5 ? -1.0 : 1.0;
    float kind = limb > 4.5 ? limb - 4.0 : limb;
    float swing = g.y * sin(g.x) * side;
    if (kind > 2.5) {
        if (kind > 3.5) {
            float knee = 0.08 + 1.25 * g.y * max(0.0, cos(g.x) * side) + 0.5 * g.z * g.y;
            position = turned(position - vec3(0, 0, KNEE), -knee) + vec3(0, 0, KNEE);
            facing = turned(facing, -knee);
        }
        position = turned(position - vec3(0, 0, HIP), swing) + vec3(0, 0, HIP);
        facing = turned(facing, swing);
    } else {
        if (kind > 0.5) {
            if (kind > 1.5) {
                float elbow = 0.2 + 1.2 * g.z;
                position = turned(position - vec3(0, 0, ELBOW), elbow) + vec3(0, 0, ELBOW);
                facing = turned(facing, elbow);
            }
            float arm = -0.85 * swing;
            position = turned(position - vec3(0, 0, SHOULDER), arm) + vec3(0, 0, SHOULDER);
            facing = turned(facing, arm);
        }
        float lean = -0.05 * g.y - 0.14 * g.z;
        position = turned(position - vec3(0, 0, HIP), lean) + vec3(0, 0, HIP);
    }
    position.z -= HIP * 0.85 * (1.0 - cos(g.y * sin(g.x)));
"""

_FRAGMENT = """
#version 330
uniform sampler2DArray pictures;
in vec3 surface;
in vec3 colour;
flat in float object;
layout(location = 0) out vec4 rgb;
layout(location = 1) out vec4 measured;
void main() {
    vec4 texel = texture(pictures, surface);
    %(cut)s
    rgb = vec4(texel.rgb * colour, 1.0);
    float share = min(%(depth)s, RANGE) / RANGE * 16777215.0;
    float whole = floor(share + 0.5);
    float high = floor(whole / 65536.0);
    float middle = floor((whole - high * 65536.0) / 256.0);
    float low = whole - high * 65536.0 - middle * 256.0;
    measured = vec4(vec3(high, middle, low) / 255.0, object);
}
""".replace("RANGE", f"{DEPTH_RANGE_M:.1f}")

_DEPTH = "1.0 / gl_FragCoord.w"
_CUT = "if (texel.a < 0.45) discard;"


def _vertex(
    light: str, uniforms: str = "", inputs: str = "", functions: str = "", move: str = ""
) -> str:
    parts = {
        "uniforms": uniforms,
        "inputs": inputs,
        "functions": functions,
        "move": move,
        "light": light,
    }
    return _VERTEX % parts


SOLID = (
    _vertex(_LAMBERT % {"ambient": "0.46", "sun": "0.62", "sky": "0.04"}),
    _FRAGMENT % {"cut": "", "depth": _DEPTH},
)
LEAVES = (
    _vertex(_LAMBERT % {"ambient": "0.50", "sun": "0.60", "sky": "0.0"}),
    _FRAGMENT % {"cut": _CUT, "depth": _DEPTH},
)
SKY = (
    _vertex("float light = 1.0;"),
    _FRAGMENT % {"cut": "", "depth": "RANGE".replace("RANGE", f"{DEPTH_RANGE_M:.1f}")},
)


def person_shader(
    people: int, first_id: int, hip_m: float, knee_m: float, shoulder_m: float, elbow_m: float
) -> tuple[str, str]:
    """The program for figures; `gait` holds (phase, amplitude, share of running, 0) per person."""
    move = _GAIT
    for name, value in (
        ("HIP", hip_m),
        ("KNEE", knee_m),
        ("SHOULDER", shoulder_m),
        ("ELBOW", elbow_m),
    ):
        move = move.replace(name, f"{value:.4f}")
    move = move.replace("FIRST_PERSON", str(first_id))
    return (
        _vertex(
            _LAMBERT % {"ambient": "0.33", "sun": "0.80", "sky": "0.06"},
            f"uniform vec4 gait[{people}];",
            "in float limb;",
            _GAIT_FUNCTIONS,
            move,
        ),
        _FRAGMENT % {"cut": "", "depth": _DEPTH},
    )
