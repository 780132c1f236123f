"""Which face is seen at each point of the picture, and how far away: a z-buffer.

The inverse of the depth is linear over the picture on every plane, so it is interpolated, and
the largest one wins (Catmull, A Subdivision Algorithm for Computer Display of Curved Surfaces,
1974, for the buffer).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from datasets.rendered.street.camera import Lattice, StreetCamera
from datasets.rendered.street.cutouts import Cutouts
from datasets.rendered.street.mesh import WHOLE, Mesh

NEAR = 0.3
"""Nothing closer than this is drawn, metres."""

FARTHEST_GROUND = 400.0
"""The ground ends here, metres; behind it is sky."""

SKY_ID, GROUND_ID, FIRST_FACE_ID = 0, 1, 2
"""What a point may see: nothing, the ground y = 0, or face number id - FIRST_FACE_ID."""


@dataclasses.dataclass(frozen=True)
class SeenFaces:
    """The m faces that are turned to the camera and before it, with what a pixel needs of them.

    Attributes:
        rows: which faces of the mesh, (m,).
        normals: unit, outward, world's axes, float32, (3, m).
        planes: inverse depth is planes . (x, y, 1) of a ray, float32, (3, m).
        inverse_range: smallest and largest inverse depth, float32, (2, m).
        u: u is u[:3] . point + u[3] of a point in the camera's axes, float32, (4, m).
        v: likewise.
        polygons: x and y of the corners in pixels, float32, (2, 4, p).
        owners: the face of each polygon, int64, (p,).
        levels: which reduction of its cut-out suits the size of each face, int64, (m,).
    """

    rows: np.ndarray
    normals: np.ndarray
    planes: np.ndarray
    inverse_range: np.ndarray
    u: np.ndarray
    v: np.ndarray
    polygons: np.ndarray
    owners: np.ndarray
    levels: np.ndarray


def look_at(
    mesh: Mesh, camera: StreetCamera, image_size: tuple[int, int], cutouts: Cutouts
) -> SeenFaces:
    """Culls, clips and projects the faces of a mesh.

    Args:
        mesh: the scene.
        camera: that looks at it.
        image_size: (height, width) of the picture, pixels; what lies outside is left out.
        cutouts: shapes cut out of faces.
    """
    turn, eye = camera.rotation.astype(np.float32), camera.eye.astype(np.float32)
    seen = (turn @ (mesh.corners - eye[:, None, None]).reshape(3, -1)).reshape(3, 4, -1)
    normals = _cross(seen[:, 3] - seen[:, 1], seen[:, 2] - seen[:, 0])
    towards = _dot(normals, seen.mean(axis=1))
    lengths = np.sqrt(_dot(normals, normals))
    rows = np.flatnonzero((towards < -1e-6 * lengths) & _may_show(seen, camera, image_size))
    seen, normals = seen[:, :, rows], normals[:, rows]
    solid, owners = _clipped(seen)
    inverse = 1.0 / solid[2]
    centre = np.array(camera.centre, dtype=np.float32)[:, None, None]
    polygons = np.float32(camera.focal) * solid[:2] * inverse + centre
    smallest = np.full(len(rows), np.inf, dtype=np.float32)
    largest, size = np.zeros((2, len(rows)), dtype=np.float32)
    np.minimum.at(smallest, owners, inverse.min(axis=0))
    np.maximum.at(largest, owners, inverse.max(axis=0))
    np.maximum.at(size, owners, np.ptp(polygons, axis=1).max(axis=0))
    texels = cutouts.side * mesh.repeats[rows] / np.maximum(size, 1.0)
    level = np.log2(np.maximum(texels, 1.0)).astype(np.int64)
    first, along, up = seen[:, 0], seen[:, 1] - seen[:, 0], seen[:, 3] - seen[:, 0]
    return SeenFaces(
        rows=rows,
        normals=turn.T @ (normals / lengths[rows]),
        planes=normals / towards[rows],
        inverse_range=np.stack([smallest, largest]),
        u=_share(first, along, up),
        v=_share(first, up, along),
        polygons=polygons,
        owners=owners,
        levels=np.minimum(level, cutouts.level_count - 1),
    )


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # In the camera's axes, y down, the outward normal is the negative of the world's formula
    # (q3 - q1) x (q2 - q0), because the handedness is the other one.
    return np.stack(
        [a[2] * b[1] - a[1] * b[2], a[0] * b[2] - a[2] * b[0], a[1] * b[0] - a[0] * b[1]]
    )


def _may_show(seen: np.ndarray, camera: StreetCamera, image_size: tuple[int, int]) -> np.ndarray:
    """Whether faces are not all behind the camera, nor all beyond one side of the picture."""
    x, y, z = seen
    hidden = z.max(axis=0) <= NEAR
    for place, centre, side in ((x, camera.centre[0], image_size[1]),
                                (y, camera.centre[1], image_size[0])):  # fmt: skip
        low, high = -centre / camera.focal, (side - centre) / camera.focal
        hidden |= (place < np.float32(low) * z).all(axis=0)
        hidden |= (place > np.float32(high) * z).all(axis=0)
    return ~hidden


def _share(first: np.ndarray, edge: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Coefficients of the share of `edge` in a point of the plane that both edges span."""
    aa, ab, bb = _dot(edge, edge), _dot(edge, other), _dot(other, other)
    dual = (edge * bb - other * ab) / np.maximum(aa * bb - ab * ab, 1e-9)
    return np.concatenate([dual, -_dot(dual, first)[None]])


def _clipped(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Faces cut off at the plane z = NEAR: (3, 4, m) to (3, 4, p) and the face of each, (p,)."""
    before = seen[2].min(axis=0) >= NEAR
    polygons, owners = [seen[:, :, before]], [np.flatnonzero(before)]
    for face in np.flatnonzero(~before):
        ring = clip_polygon(seen[:, :, face].T, axis=2, bound=NEAR)
        for start in range(1, len(ring) - 1, 2):
            last = min(start + 2, len(ring) - 1)
            polygons.append(ring[[0, start, start + 1, last]].T[:, :, None])
            owners.append(np.array([face]))
    return np.concatenate(polygons, axis=2), np.concatenate(owners)


def clip_polygon(ring: np.ndarray, axis: int, bound: float, above: bool = True) -> np.ndarray:
    """The part of a polygon where a coordinate is at least (or at most) `bound`.

    Sutherland and Hodgman, Reentrant Polygon Clipping, 1974, for one plane.

    Args:
        ring: corners, (n, d).
        axis: which coordinate.
        bound: its limit.
        above: keep what is at least `bound`; otherwise what is at most.
    """
    distance = (ring[:, axis] - bound) * (1 if above else -1)
    kept = []
    for number in range(len(ring)):
        here, there = number, (number + 1) % len(ring)
        if distance[here] >= 0:
            kept.append(ring[here])
        if (distance[here] >= 0) != (distance[there] >= 0):
            share = distance[here] / (distance[here] - distance[there])
            kept.append(ring[here] + share * (ring[there] - ring[here]))
    return np.array(kept, dtype=ring.dtype).reshape(-1, ring.shape[1])


def z_buffer(
    mesh: Mesh, faces: SeenFaces, camera: StreetCamera, lattice: Lattice, cutouts: Cutouts
) -> tuple[np.ndarray, np.ndarray]:
    """What is seen at each point: ids, int32, and inverse depth, float32, both flat.

    Args:
        mesh: the scene.
        faces: `look_at` of it.
        camera: the same.
        lattice: where the points lie.
        cutouts: shapes cut out of faces.
    """
    x, y = lattice.rays(camera)
    nearest = _ground_keys(camera, x, y)
    row, column, owners = _fragments(faces, lattice)
    planes = faces.planes
    across = x.take(column)
    inverse = planes[0].take(owners) * across
    inverse += planes[1].take(owners) * y.take(row)
    inverse += planes[2].take(owners)
    np.maximum(inverse, faces.inverse_range[0].take(owners), out=inverse)
    np.minimum(inverse, faces.inverse_range[1].take(owners), out=inverse)
    points = row * np.int32(lattice.width) + column
    keys = (inverse.view(np.int32).astype(np.int64) << 32) | (owners + FIRST_FACE_ID)
    cut = (mesh.cutouts[faces.rows] != WHOLE).take(owners)
    solid = np.flatnonzero(~cut)
    np.maximum.at(nearest, points[solid], keys[solid])
    # Only what is not hidden by solid faces has its cut-out looked at.
    cut = np.flatnonzero(cut & (keys > nearest[points]))
    owner = owners[cut]
    u, v = surface_coordinates(faces, owner, across[cut], y.take(row[cut]), inverse[cut])
    rows = faces.rows[owner]
    level = faces.levels[owner]
    there = cutouts.covers(mesh.cutouts[rows], u * mesh.repeats[rows], v, level)
    cut = cut[there]
    np.maximum.at(nearest, points[cut], keys[cut])
    ids = (nearest & 0xFFFFFFFF).astype(np.int32)
    return ids, (nearest >> 32).astype(np.int32).view(np.float32)


def _ground_keys(camera: StreetCamera, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The buffer with nothing but ground and sky: inverse depth and id in one number.

    A ray from height h meets the plane y = 0 at depth h / (its fall per metre of depth).
    """
    down = -camera.rotation[:, 1].astype(np.float32)
    fall = y[:, None] * down[1] + (x[None, :] * down[0] + down[2])
    inverse = (fall / np.float32(camera.eye[1])).ravel()
    keys = (inverse.view(np.int32).astype(np.int64) << 32) | GROUND_ID
    keys[inverse < 1.0 / FARTHEST_GROUND] = SKY_ID
    return keys


def _fragments(faces: SeenFaces, lattice: Lattice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every point that a face covers: its row and column, int32, and its face, int64."""
    polygons = faces.polygons - np.float32(lattice.shift)
    polygon, row = _rows_of_polygons(polygons[1], lattice.height)
    left, right = _row_ends(polygons, polygon, row)
    start = np.maximum(np.ceil(left), 0.0).astype(np.int32)
    counts = np.minimum(np.floor(right), lattice.width - 1.0).astype(np.int32) + 1 - start
    some = np.flatnonzero(counts > 0)
    start, counts = start[some], counts[some]
    first = np.cumsum(counts, dtype=np.int32) - counts
    column = np.arange(counts.sum(), dtype=np.int32) - np.repeat(first - start, counts)
    owner = faces.owners[polygon[some]]
    return np.repeat(row[some], counts), column, np.repeat(owner, counts)


def _rows_of_polygons(heights: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of a polygon and a row of points that crosses it, from the corners' rows, (4, p)."""
    first = np.clip(np.ceil(heights.min(axis=0)), 0, rows).astype(np.int64)
    last = np.clip(np.floor(heights.max(axis=0)), -1, rows - 1).astype(np.int64)
    counts = np.maximum(last + 1 - first, 0)
    polygon = np.repeat(np.arange(heights.shape[1]), counts)
    start = np.cumsum(counts) - counts
    row = np.arange(len(polygon)) - np.repeat(start - first, counts)
    return polygon, row.astype(np.int32)


def _row_ends(
    polygons: np.ndarray, polygon: np.ndarray, row: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where rows of points enter and leave convex polygons, (2, 4, p): left and right columns.

    Edges are half-open at their lower end, so a row through a corner is counted once.
    """
    x, y = polygons
    next_x, next_y = np.roll(x, -1, axis=0), np.roll(y, -1, axis=0)
    rise = next_y - y
    slope = (next_x - x) / (rise + (rise == 0))
    low, high = np.minimum(y, next_y), np.maximum(y, next_y)
    offset = x - slope * y
    left = np.full(len(row), np.inf, dtype=np.float32)
    right = np.full(len(row), -np.inf, dtype=np.float32)
    at = row.astype(np.float32)
    for edge in range(4):
        crosses = (low[edge].take(polygon) <= at) & (at < high[edge].take(polygon))
        crossing = offset[edge].take(polygon) + slope[edge].take(polygon) * at
        np.minimum(left, crossing, out=left, where=crosses)
        np.maximum(right, crossing, out=right, where=crosses)
    missed = right < left
    left[missed], right[missed] = 0.0, -1.0
    return left, right


def surface_coordinates(
    faces: SeenFaces, owners: np.ndarray, x: np.ndarray, y: np.ndarray, inverse: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """u and v on their faces of points with rays (x, y, 1) and an inverse depth; (k,) each."""
    depth = 1.0 / inverse
    found = []
    for table in (faces.u, faces.v):
        flat = table[0].take(owners) * x
        flat += table[1].take(owners) * y
        flat += table[2].take(owners)
        flat *= depth
        flat += table[3].take(owners)
        found.append(flat)
    return found[0], found[1]
