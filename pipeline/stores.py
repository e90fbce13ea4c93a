"""The one place that knows Zarr: every array of every store is declared here, and written and read through here.

A store holds one group per recording. A writer works on `NAME.partial`, which gets its final name when all is there.
Tasks write whole shards: anything else loses data silently when two tasks meet in one shard, so it is refused.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import zarr

from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.skeleton import N_JOINTS

FRAMES_PER_CHUNK = 256
FRAMES_PER_SHARD = 4096
# Of the dimensions, unless a recording's are given.
SIZES = {"landmark": 0, "joint": N_JOINTS, "xy": 2, "xyz": 3, "corner": 4, "row": 3, "column": 3, "upper": 6}


@dataclass(frozen=True)
class Array:
    """The declaration of one array of a store; the first dimension is always `frame` (or `rig`)."""

    name: str
    dims: tuple[str, ...]
    dtype: str
    unit: str
    meaning: str
    fill: float | int | bool = np.nan


@dataclass(frozen=True)
class Schema:
    """What a store of one kind holds."""

    name: str
    version: int
    arrays: tuple[Array, ...]


def _f32(name: str, dims: str, unit: str, meaning: str) -> Array:
    return Array(name, tuple(dims.split()), "float32", unit, meaning)


TRUTH = Schema("truth", 1, (
    _f32("joints_world_mm", "frame joint xyz", "mm", "true joints, one row per frame of the video"),
))  # fmt: skip

POSES2D = Schema("poses2d", 2, (
    _f32("joints_px", "frame view joint xy", "px", "detected joints in the packed frames, lens distortion included"),
    _f32("confidence", "frame view joint", "0-1", "the detector's confidence; 0 or NaN: not seen"),
    _f32("box_px", "frame view corner", "px", "the person's box: left, top, right, bottom; NaN: no person found"),
    _f32("landmarks_px", "frame view landmark xy", "px", "all points the detector marks; none where only joints"),
    _f32("landmark_confidence", "frame view landmark", "0-1", "the detector's confidence in them"),
))  # fmt: skip

RIGS = Schema("rigs", 4, (
    # One row for a static rig; else one per frame. The attributes say by what factor the focal lengths were found to
    # differ from those given (focal_factor), and its standard deviation (focal_std; 0: taken as they were given).
    _f32("R_cam_from_world", "rig view row column", "1", "rotation of each view; NaN: not calibrated"),
    _f32("t_cam_from_world_mm", "rig view xyz", "mm", "translation of each view"),
    _f32("rotation_std_deg", "rig view", "deg", "standard deviation of the rotation, from the adjustment's covariance"),
    _f32("center_std_mm", "rig view", "mm", "standard deviation of the camera centre (root of its covariance's trace)"),
    _f32("center_covariance_mm2", "rig view row column", "mm^2", "covariance of the camera centre in the world"),
    _f32("residual_px", "rig view", "px", "median reprojection error of the inliers"),
    _f32("epipolar_start_px", "rig", "px", "median distance of a joint from its epipolar line before adjustment"),
    _f32("epipolar_px", "rig", "px", "the same after adjustment"),
))  # fmt: skip

LABELS = Schema("labels", 2, (
    _f32("joints_world_mm", "frame joint xyz", "mm", "triangulated joints; NaN: rejected"),
    _f32("joints_cam_mm", "frame view joint xyz", "mm", "the same in each camera's frame"),
    Array("status", ("frame", "joint"), "uint8", "code", "0 not done, 1 valid, others: why it was rejected", 0),
    _f32("reprojection_px", "frame view joint", "px", "distance of each view's detection from the projected joint"),
    Array("view_status", ("frame", "view", "joint"), "uint8", "code", "0 not done, 1 used, others: why not", 0),
    Array("views_used", ("frame", "joint"), "uint8", "1", "number of views that agree with the joint", 0),
    _f32("covariance_mm2", "frame joint upper", "mm^2", "covariance of the joint in the world: xx, xy, xz, yy, yz, zz"),
    _f32("uncertainty_mm", "frame joint", "mm", "standard deviation of the joint (root of the covariance's trace)"),
))  # fmt: skip

PREDICTIONS = Schema("predictions", 1, (
    _f32("joints_px", "frame view joint xy", "px", "predicted joints in the packed frames"),
    _f32("relative_depth", "frame view joint", "1", "(depth - root depth) / root depth, as predicted"),
))  # fmt: skip


class RecordingGroup:
    """The arrays of one recording in a store."""

    def __init__(self, group: zarr.Group, schema: Schema) -> None:
        self._group, self._schema = group, schema

    @property
    def attrs(self) -> dict[str, Any]:
        """What was said about the recording when it was written."""
        return dict(self._group.attrs)

    def __getitem__(self, name: str) -> np.ndarray:
        """The whole array as numpy; floats as float64."""
        return self.rows(name, 0, self.n_rows)

    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows start..stop of the first dimension, as numpy; floats as float64."""
        return _as_float64(self._array(name)[start:stop])

    def at(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Some rows (n,) of the first dimension, in rising order, as numpy; floats as float64."""
        return _as_float64(self._array(name).oindex[rows])

    @property
    def n_rows(self) -> int:
        """Length of the first dimension (frames, or rigs)."""
        return self._array(self._schema.arrays[0].name).shape[0]

    def shards(self) -> list[tuple[int, int]]:
        """The ranges of rows (start, stop) that a task may own."""
        return [
            (start, min(start + FRAMES_PER_SHARD, self.n_rows)) for start in range(0, self.n_rows, FRAMES_PER_SHARD)
        ]

    def write(self, start: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Write rows from `start` on; they must make up whole shards.

        Raises ValueError for another shape than declared, or a region that does not fill its shards.
        """
        for name, values in arrays.items():
            _write_shards(self._array(name), np.asarray(values), start)

    def _array(self, name: str) -> Any:
        # Typed Any: zarr's own types allow a group here, and its arrays do not know numpy's.
        return self._group[name]


def _as_float64(values: Any) -> np.ndarray:
    values = np.asarray(values)
    return values.astype(float) if values.dtype == np.float32 else values


def _write_shards(array: Any, values: np.ndarray, start: int) -> None:
    stop, n = start + len(values), array.shape[0]
    shard = array.shards[0]
    if start % shard or (stop % shard and stop != n):
        raise ValueError(f"Rows {start}:{stop} of {array.path} do not fill shards of {shard} rows (length {n}).")
    if values.shape[1:] != array.shape[1:] or stop > n:
        raise ValueError(f"{array.path} has shape {array.shape}; rows {start}:{stop} cannot hold {values.shape}.")
    array[start:stop] = values.astype(array.dtype)


class Store:
    """An open store: a mapping from recording names to their arrays."""

    def __init__(self, path: Path, schema: Schema, group: zarr.Group) -> None:
        self.path, self._schema, self._group = path, schema, group

    @property
    def attrs(self) -> dict[str, Any]:
        """What was said about the whole store (provenance, rejections)."""
        return dict(cast(dict, self._group.attrs["about"]))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._group.group_keys()))

    def __contains__(self, recording: str) -> bool:
        return recording in self._group

    def __getitem__(self, recording: str) -> RecordingGroup:
        if recording not in self._group:
            raise UserError(f"{self.path} has no recording {recording!r}", fix="Run dvc repro to make it again.")
        return RecordingGroup(cast(zarr.Group, self._group[recording]), self._schema)

    def update_attrs(self, **attrs: Any) -> None:
        """Add to what is said about the whole store."""
        self._group.attrs["about"] = {**self.attrs, **attrs}

    def create(self, recording: str, sizes: Mapping[str, int], **attrs: Any) -> RecordingGroup:
        """Create the arrays of a recording, filled with their fill value; sizes give `frame` or `rig`, and `view`."""
        group = self._group.create_group(recording, attributes=attrs)
        for array in self._schema.arrays:
            _create_array(group, array, {**SIZES, **sizes})
        return RecordingGroup(group, self._schema)


def _create_array(group: zarr.Group, array: Array, sizes: Mapping[str, int]) -> None:
    shape = tuple(sizes[dim] for dim in array.dims)
    rest = tuple(max(size, 1) for size in shape[1:])
    group.create_array(
        array.name, shape=shape, dtype=array.dtype, fill_value=array.fill, dimension_names=array.dims,
        chunks=(FRAMES_PER_CHUNK, *rest), shards=(FRAMES_PER_SHARD, *rest),
        attributes={"unit": array.unit, "meaning": array.meaning},
    )  # fmt: skip


@contextmanager
def create_store(path: Path, schema: Schema, **attrs: Any) -> Iterator[Store]:
    """A new store under a temporary name; it gets its final name when the block ends without an error."""
    with atomic_write(path) as aside:
        metadata = {"schema": schema.name, "version": schema.version, "about": attrs}
        yield Store(aside, schema, zarr.create_group(aside, attributes=metadata))


def focal_scales(store: Store) -> dict[str, float]:
    """What calibration multiplied the focal lengths of each recording by, from the store of rigs or of labels."""
    return {name: store[name].attrs.get("focal_scale", 1.0) for name in store}


def reopen(path: Path, schema: Schema) -> Store:
    """A store that is being written, opened by a worker to write its shards."""
    return Store(path, schema, zarr.open_group(path, mode="r+"))


def open_store(path: Path, schema: Schema) -> Store:
    """Open a finished store.

    Raises UserError where there is none, or one of another schema or version; the message says both.
    """
    if not (path / "zarr.json").exists():
        raise UserError(f"{path} does not exist", fix="Run the stages before this one: dvc repro.")
    group = zarr.open_group(path, mode="r")
    found, wanted = (group.attrs.get("schema"), group.attrs.get("version")), (schema.name, schema.version)
    if found != wanted:
        fix = "Run dvc repro to make it again."
        raise UserError(f"{path} holds {found[0]} version {found[1]}, this code reads {wanted[0]} {wanted[1]}", fix=fix)
    return Store(path, schema, group)
