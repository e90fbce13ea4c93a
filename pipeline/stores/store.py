"""Stores on disk: opened by their schema, written completely or not at all, and in whole shards only.

A store holds one group per recording. A writer works on `NAME.partial`, which is renamed when it is complete.
Tasks must write whole shards. Other regions are refused, because two tasks that write to one shard lose data silently.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, cast

import numpy as np
import zarr
from pydantic import ValidationError

from pipeline.errors import UserError, wrong_keys
from pipeline.files import atomic_write
from pipeline.geometry.camera.model import Camera
from pipeline.stores.records import PeopleRecord, RigRecord
from pipeline.stores.schemas import Array, R, S, Schema

FRAMES_PER_CHUNK = 256
FRAMES_PER_SHARD = 4096
AGAIN = "Run dvc repro to make it again."


class RecordingGroup(Generic[R]):
    """The arrays of one recording in a store, of all persons or of one."""

    def __init__(self, group: zarr.Group, record: R, arrays: tuple[Array, ...], person: int | None = None) -> None:
        self.record = record
        self._group, self._arrays, self._person = group, arrays, person

    def person(self, which: int | str) -> "RecordingGroup[R]":
        """The same arrays without the dimension `person`: those of one person, by index or identity.

        Raises ValueError for a person that the recording does not have.
        """
        persons = self.record.persons if isinstance(self.record, PeopleRecord) else []
        index = which if isinstance(which, int) else persons.index(which) if which in persons else -1
        if not 0 <= index < len(persons):
            raise ValueError(f"{self._group.path} has no person {which!r}; it has {persons}.")
        return RecordingGroup(self._group, self.record, self._arrays, index)

    def __getitem__(self, name: str) -> np.ndarray:
        """The whole array as numpy; floats as float64."""
        return self.rows(name, 0, self.n_rows)

    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows start..stop of the first dimension, as numpy; floats as float64."""
        array, person = self._array(name), self._person_of(name)
        return _as_float64(array[start:stop] if person is None else array[start:stop, person])

    def at(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Some rows (n,) of the first dimension, in increasing order, as numpy; floats as float64."""
        values, person = _as_float64(self._array(name).oindex[rows]), self._person_of(name)
        return values if person is None else np.ascontiguousarray(values[:, person])

    @property
    def n_rows(self) -> int:
        """Length of the first dimension (frames, or rigs)."""
        return int(self._array(self._arrays[0].name).shape[0])

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
            _write_shards(self._array(name), np.asarray(values), start, self._person_of(name))

    def cameras(self: "RecordingGroup[RigRecord]", row: int = 0) -> list[Camera]:
        """The cameras of all views as found, with one row of extrinsics, None for views without calibration."""
        R, t = (self.rows(name, row, row + 1)[0] for name in ("R_cam_from_world", "t_cam_from_world_mm"))
        return [
            replace(camera, R_cam_from_world=R[v], t_cam_from_world_mm=t[v]) if np.isfinite(t[v]).all() else camera
            for v, camera in enumerate(self.record.intrinsics)
        ]

    def _person_of(self, name: str) -> int | None:
        """The index of the person in an array; None if all are meant, or if the array is about none of them."""
        is_about_people = any(array.name == name and "person" in array.dims for array in self._arrays)
        return self._person if is_about_people else None

    def _array(self, name: str) -> Any:
        # The type is Any, as zarr's types allow a group here, and do not describe its arrays as numpy arrays.
        try:
            return self._group[name]
        except KeyError:
            if name not in (array.name for array in self._arrays):
                raise
            where = str(self._group.store_path).removeprefix("file://")
            raise UserError(f"{where} has no array {name}, which this code declares", fix=AGAIN) from None


def _as_float64(values: Any) -> np.ndarray:
    array: np.ndarray = np.asarray(values)
    return array.astype(float) if array.dtype == np.float32 else array


def _write_shards(array: Any, values: np.ndarray, start: int, person: int | None) -> None:
    stop, n = start + len(values), array.shape[0]
    shard = array.shards[0]
    if start % shard or (stop % shard and stop != n):
        raise ValueError(f"Rows {start}:{stop} of {array.path} do not fill shards of {shard} rows (length {n}).")
    row = array.shape[1:] if person is None else array.shape[2:]
    if values.shape[1:] != row or stop > n:
        raise ValueError(f"{array.path} has shape {(n, *row)}; rows {start}:{stop} cannot hold {values.shape}.")
    region = slice(start, stop) if person is None else (slice(start, stop), person)
    array[region] = values.astype(array.dtype)


class Store(Generic[R, S]):
    """An open store: a mapping from recording names to their arrays."""

    def __init__(self, path: Path, schema: Schema[R, S], group: zarr.Group) -> None:
        self.path, self._schema, self._group = path, schema, group

    @property
    def summary(self) -> S:
        """The attributes of the whole store.

        Raises UserError if keys are missing or unknown.
        """
        return _read(self._schema.summary, self._group.attrs.get("summary", {}), str(self.path))

    def write_summary(self, summary: S) -> None:
        """Write the attributes of the whole store."""
        self._group.attrs["summary"] = summary.model_dump(mode="json")

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._group.group_keys()))

    def __contains__(self, recording: str) -> bool:
        return recording in self._group

    def __getitem__(self, recording: str) -> RecordingGroup[R]:
        """The arrays and the record of a recording.

        Raises UserError if the store does not have the recording, or if keys of the record are missing or unknown.
        """
        if recording not in self._group:
            raise UserError(f"{self.path} has no recording {recording!r}", fix=AGAIN)
        group = cast(zarr.Group, self._group[recording])
        record = _read(self._schema.record, dict(group.attrs), f"{self.path}, {recording}")
        return RecordingGroup(group, record, self._schema.arrays)

    def create(self, recording: str, sizes: Mapping[str, int], record: R) -> RecordingGroup[R]:
        """Create the arrays of a recording, filled with their fill value; sizes give `frame` or `rig`, and `view`."""
        group = self._group.create_group(recording, attributes=record.model_dump(mode="json"))
        persons = {"person": len(record.persons)} if isinstance(record, PeopleRecord) else {}
        for array in self._schema.arrays:
            _create_array(group, array, {**sizes, **persons})
        return RecordingGroup(group, record, self._schema.arrays)


def _create_array(group: zarr.Group, array: Array, sizes: Mapping[str, int]) -> None:
    shape = array.shape(sizes)
    # A shard holds one person, so that people can be written one by one.
    rest = tuple(1 if dim == "person" else max(size, 1) for dim, size in zip(array.dims, shape, strict=True))[1:]
    group.create_array(
        array.name, shape=shape, dtype=array.dtype, fill_value=array.fill, dimension_names=array.dims,
        chunks=(FRAMES_PER_CHUNK, *rest), shards=(FRAMES_PER_SHARD, *rest),
        attributes={"unit": array.unit, "meaning": array.meaning},
    )  # fmt: skip


def _read(record: type[R], attributes: Any, where: str) -> R:
    """A record from the attributes of a group."""
    try:
        return record.model_validate_json(json.dumps(attributes))
    except ValidationError as error:
        raise UserError(f"{record.__name__}: {wrong_keys(error.errors())}", where=where, fix=AGAIN) from None


@contextmanager
def create_store(path: Path, schema: Schema[R, S], summary: S | None = None) -> Iterator[Store[R, S]]:
    """A new store under a temporary name; it is renamed if the block ends without an error.

    The summary may also be written in the block. Raises ValueError if there is no summary.
    """
    with atomic_write(path) as aside:
        group = zarr.create_group(aside, attributes={"schema": schema.name, "version": schema.version})
        store = Store(aside, schema, group)
        if summary is not None:
            store.write_summary(summary)
        yield store
        if "summary" not in group.attrs:
            raise ValueError(f"{path} was given no {schema.summary.__name__}.")


def reopen(path: Path, schema: Schema[R, S]) -> Store[R, S]:
    """A store that is being written, opened by a worker to write its shards."""
    return Store(path, schema, zarr.open_group(path, mode="r+"))


def open_store(path: Path, schema: Schema[R, S]) -> Store[R, S]:
    """Open a finished store.

    Raises UserError if there is none, or if schema, version or summary differ; the message names both sides.
    """
    if not (path / "zarr.json").exists():
        raise UserError(f"{path} does not exist", fix="Run the stages before this one: dvc repro.")
    group = zarr.open_group(path, mode="r")
    found, wanted = (group.attrs.get("schema"), group.attrs.get("version")), (schema.name, schema.version)
    if found != wanted:
        what = f"{path} holds {found[0]} version {found[1]}, this code reads {wanted[0]} {wanted[1]}"
        raise UserError(what, fix=AGAIN)
    _read(schema.summary, group.attrs.get("summary", {}), str(path))
    return Store(path, schema, group)
