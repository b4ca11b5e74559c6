"""From our meshes and poses (NED) to Panda3D's nodes and matrices (x east, y north, z up)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.rendering.mesh import LIMB_VERTEX, Mesh


def shader_of(program: tuple[str, str]) -> core.Shader:
    """A GLSL program, vertex and fragment."""
    return core.Shader.make(core.Shader.SL_GLSL, vertex=program[0], fragment=program[1])


def uniform_array(node: core.NodePath, name: str, count: int) -> NDArray[np.float32]:
    """(count, 4) zeros, which are the `vec4 name[count]` of the node's shader from now on.

    What is written into them is in the next picture.
    """
    values = core.PTA_LVecBase4f.empty_array(count)
    node.set_shader_input(name, values)
    return np.frombuffer(values, dtype=np.float32).reshape(count, 4)


def _panda(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """NED to Panda3D's x east, y north, z up."""
    return points[:, [1, 0, 2]] * np.array([1.0, 1.0, -1.0], dtype=np.float32)


def panda_matrix(position_m: Vec3, orientation: Quaternion) -> core.LMatrix4f:
    """Matrix of a node at an NED pose: its x axis points right, y forward, z up."""
    w, x, y, z = orientation
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w / norm, x / norm, y / norm, z / norm
    forward = (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))
    right = (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x))
    down = (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y))
    rows = []
    for axis, sign in ((right, 1.0), (forward, 1.0), (down, -1.0)):
        rows += [sign * axis[1], sign * axis[0], -sign * axis[2], 0.0]
    return core.LMatrix4f(*rows, position_m[1], position_m[0], -position_m[2], 1.0)


def node_of(mesh: Mesh) -> core.GeomNode:
    """A mesh as one Geom."""
    vertices, triangles = mesh.vertices, mesh.triangles
    vertices = vertices.copy()
    vertices["position"] = _panda(vertices["position"])
    vertices["normal"] = _panda(vertices["normal"])
    array = core.GeomVertexArrayFormat()
    array.add_column(core.InternalName.get_vertex(), 3, core.Geom.NT_float32, core.Geom.C_point)
    array.add_column(core.InternalName.get_normal(), 3, core.Geom.NT_float32, core.Geom.C_normal)
    array.add_column(core.InternalName.make("uvl"), 3, core.Geom.NT_float32, core.Geom.C_other)
    array.add_column(core.InternalName.make("tint"), 4, core.Geom.NT_uint8, core.Geom.C_color)
    array.add_column(core.InternalName.make("page"), 4, core.Geom.NT_uint8, core.Geom.C_color)
    if mesh.dtype == LIMB_VERTEX:
        array.add_column(core.InternalName.make("limb"), 1, core.Geom.NT_float32, core.Geom.C_other)
    layout = core.GeomVertexFormat.register_format(core.GeomVertexFormat(array))
    data = core.GeomVertexData("mesh", layout, core.Geom.UH_static)
    data.unclean_set_num_rows(len(vertices))
    memoryview(data.modify_array(0)).cast("B")[:] = vertices.tobytes()
    faces = core.GeomTriangles(core.Geom.UH_static)
    faces.set_index_type(core.Geom.NT_uint32)
    indices = faces.modify_vertices()
    indices.unclean_set_num_rows(len(triangles))
    memoryview(indices).cast("B")[:] = triangles.astype(np.uint32).tobytes()
    faces.set_vertices(indices)
    geom = core.Geom(data)
    geom.add_primitive(faces)
    node = core.GeomNode("mesh")
    node.add_geom(geom)
    return node
