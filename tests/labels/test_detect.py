"""Detection over a whole capture, with a stand-in detector that reads the frame's number out of its colour."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from dask.distributed import LocalCluster

from pipeline.capture import Capture, Recording, View
from pipeline.detectors.protocol import Detections
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.labels import detect, workers
from pipeline.labels.detect import detect_capture
from pipeline.params.detect import DetectParams
from pipeline.skeleton import N_JOINTS
from pipeline.stores import POSES2D, Poses2dStore, open_store
from pipeline.video.packing import pack_frames
from tests.detectors.params import detect_params

CAMERA = Camera(np.eye(3), np.zeros(0), (24, 16))
PARAMS = detect_params(batch_size=3)
CRASH, NOBODY = 250, 200  # levels of images on which the stand-in crashes, and that show nobody


class StandIn:
    """Finds every joint at (level, background's level); a level is the brightness of an image."""

    built = 0
    n_landmarks = 2
    error: Exception = RuntimeError("out of colours")

    def __init__(self, weights: Path, params: DetectParams) -> None:
        type(self).built += 1
        self._name = weights.read_text() if weights.exists() else "none"

    def provenance(self) -> dict[str, str]:
        return {"name": "stand-in", "version": "1", "sha256": self._name}

    def joint_rules(self) -> dict[str, str]:
        return {"neck": "0.5 chin"}

    def background(self, clips: Sequence[Sequence[np.ndarray]]) -> np.ndarray | None:
        assert len({clip[0].shape for clip in clips}) == 1
        return np.array([clip[0].mean() for clip in clips]).sum().round()[None]

    def detect(self, images: Sequence[np.ndarray], background: np.ndarray | None) -> Detections:
        assert len(images) <= PARAMS.batch_size
        levels = np.array([image.mean() for image in images]).round()
        if (levels >= CRASH).any():
            raise self.error
        x = np.where(levels < NOBODY, levels, np.nan)
        joints = np.stack([x, 0 * x + background], -1)[:, None] + np.zeros((len(images), N_JOINTS, 2))
        box = np.concatenate([joints[:, 0], joints[:, 0]], -1)
        confidence = np.where(np.isnan(x), 0, 0.7)[:, None]
        return Detections(joints, confidence + np.zeros((1, N_JOINTS)), box, joints[:, :2] + 1, confidence[:, [0, 0]])


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(detect, "load_detector", StandIn)
    monkeypatch.setenv("EPILINE_WORKERS", "0")
    detect._detector.cache_clear()
    StandIn.built = 0


def make_frames(
    folder: Path,
    clips: dict[str, list[list[int]]],
    rigs: dict[str, str] | None = None,
    sizes: dict[str, tuple[int, int]] | None = None,
) -> Path:
    """A folder of packed frames; clips gives the levels of each frame of each view of each recording."""
    recordings = []
    for name, views in clips.items():
        (folder / "frames" / name).mkdir(parents=True)
        width, height = size = (sizes or {}).get(name, CAMERA.size_px)
        for v, levels in enumerate(views):
            images = (np.full((height, width, 3), level, np.uint8) for level in levels)
            pack_frames(folder / "frames" / name / f"cam{v}.jpegs", images, 100)
        described = [View.of(f"cam{v}", f"{name}/cam{v}.jpegs", CAMERA.resized(size)) for v in range(len(views))]
        recordings.append(Recording(
            name=name, subject="S1", action="a", split="train", rig=(rigs or {}).get(name, "r"), fps=10,
            n_frames=len(views[0]), views=described,
        ))  # fmt: skip
    Capture(source="videos", recordings=recordings).write(folder / "frames")
    return folder / "frames"


def run(folder: Path, frames: Path, name: str = "poses2d.zarr") -> Poses2dStore:
    detect_capture(frames, folder / "weights", folder / name, PARAMS)
    return open_store(folder / name, POSES2D)


def levels_found(store: Poses2dStore, recording: str) -> np.ndarray:
    return store[recording].person(0)["joints_px"][:, :, 0, 0]


def test_every_view_of_every_frame_is_detected_in_its_place(tmp_path):
    views = [[1, 2, 3, 4, 5, 6, 7], [11, 12, 13, 14, 15, 16, 17]]
    store = run(tmp_path, make_frames(tmp_path, {"S1_a": views, "S2_a": [[50], [60]]}))
    np.testing.assert_array_equal(levels_found(store, "S1_a"), np.transpose(views))
    np.testing.assert_array_equal(levels_found(store, "S2_a"), [[50, 60]])
    group = store["S1_a"].person(0)
    np.testing.assert_allclose(group["confidence"], 0.7)
    assert group["box_px"].shape == (7, 2, 4)
    np.testing.assert_allclose(group["landmarks_px"], group["joints_px"][:, :, :2] + 1)
    assert group["landmark_confidence"].shape == (7, 2, 2)


def test_a_camera_has_one_background_of_all_that_its_rig_filmed(tmp_path):
    clips = {"S1_a": [[10, 11], [20, 21]], "S2_a": [[30, 31], [40, 41]], "S3_a": [[5, 6], [7, 8]]}
    store = run(tmp_path, make_frames(tmp_path, clips, {"S3_a": "other"}))
    for name, expected in (("S1_a", [40, 60]), ("S2_a", [40, 60]), ("S3_a", [5, 7])):
        np.testing.assert_array_equal(store[name].person(0)["joints_px"][0, :, 0, 1], expected)
    assert not list(tmp_path.glob("backgrounds*"))


def test_takes_of_one_rig_may_differ_in_resolution(tmp_path):
    clips = {"S1_a": [[10, 11]], "S2_a": [[30, 31]], "S3_a": [[50, 51]]}
    store = run(tmp_path, make_frames(tmp_path, clips, sizes={"S2_a": (48, 32)}))
    for name, expected in (("S1_a", 60), ("S2_a", 30), ("S3_a", 60)):
        assert store[name].person(0)["joints_px"][0, 0, 0, 1] == expected


def test_what_a_killed_run_left_is_removed(tmp_path):
    left = tmp_path / "backgrounds.partial"
    left.mkdir()
    (left / "0.npy").touch()
    run(tmp_path, make_frames(tmp_path, {"S1_a": [[10, 11]]}))
    assert not left.exists()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 12 bytes."),
    ],
)
def test_running_out_of_memory_is_no_empty_image(tmp_path, monkeypatch, error):
    monkeypatch.setattr(StandIn, "error", error)
    frames = make_frames(tmp_path, {"S1_a": [[1, CRASH, 3, 4]]})
    with pytest.raises(UserError, match=r"The detector ran out of memory on 3 images at once.*batch_size"):
        run(tmp_path, frames)
    assert not (tmp_path / "poses2d.zarr").exists()


def test_more_crashes_than_a_few_per_cent_fail_the_stage(tmp_path):
    few, many = [CRASH] * 4 + [1] * 130, [CRASH] * 5 + [1] * 129
    store = run(tmp_path, make_frames(tmp_path, {"S1_a": [few]}))
    assert store["S1_a"].record.crashed == {"cam0": 4}
    with pytest.raises(UserError, match="crashed on 5 of 134 images, the first time with RuntimeError: out of colours"):
        run(tmp_path / "many", make_frames(tmp_path / "many", {"S1_a": [many]}))


def test_a_crash_costs_its_frame_alone_and_is_counted(tmp_path, caplog):
    caplog.set_level("INFO", "epiline")
    views = [[1, CRASH, 3, 4], [11, 12, 13, CRASH]]
    store = run(tmp_path, make_frames(tmp_path, {"S1_a": views}))
    np.testing.assert_array_equal(levels_found(store, "S1_a"), [[1, 11], [np.nan, 12], [3, 13], [4, np.nan]])
    assert store["S1_a"].person(0)["confidence"][1, 0].max() == 0
    assert store["S1_a"].record.crashed == {"cam0": 1, "cam1": 1}
    assert "crashed on 2 of 8 images" in caplog.text
    [alert] = store.summary.alerts
    assert (alert.kind, alert.severity) == ("detector_crash", "note")
    assert "RuntimeError: out of colours" in alert.evidence


def test_says_and_keeps_where_people_were_found_and_by_what(tmp_path, caplog):
    caplog.set_level("INFO", "epiline")
    (tmp_path / "weights").write_text("abc")
    clips = {"S1_a": [[1, 2, 3, 4], [11, NOBODY, NOBODY, 14]], "S2_a": [[NOBODY] * 4, [NOBODY] * 4]}
    store = run(tmp_path, make_frames(tmp_path, clips))
    assert store.summary.detector == {"name": "stand-in", "version": "1", "sha256": "abc"}
    assert store.summary.joint_rules == {"neck": "0.5 chin"}
    assert store["S1_a"].record.found == {"cam0": 4, "cam1": 2}
    assert store["S2_a"].record.found == {"cam0": 0, "cam1": 0}
    assert store["S1_a"].record.persons == ["S1"]
    assert "Person found: cam0 50.0 %, cam1 25.0 %" in caplog.text
    assert "warning: S2_a: no person was found in any view" in caplog.text
    [alert] = store.summary.alerts
    assert (alert.kind, alert.severity, alert.subject) == ("nobody_found", "warning", "S2_a")


def test_a_camera_that_never_shows_anybody_is_an_alert(tmp_path):
    clips = {f"S{i}_a": [[1, 2], [NOBODY, NOBODY]] for i in (1, 2)}
    [alert] = run(tmp_path, make_frames(tmp_path, clips)).summary.alerts
    assert (alert.kind, alert.subject) == ("nobody_found", "cam1")
    assert "any of 4 images" in alert.message


@pytest.mark.parametrize(("level", "cause"), [(NOBODY, "found no person in any of 4"), (CRASH, "crashed on 4 of 4")])
def test_nobody_anywhere_is_an_error_and_leaves_no_store(tmp_path, level, cause):
    with pytest.raises(UserError, match=cause):
        run(tmp_path, make_frames(tmp_path, {"S1_a": [[level] * 2, [level] * 2]}))
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_the_detector_is_built_once_a_process_and_anew_for_other_weights(tmp_path):
    (tmp_path / "weights").write_text("old")
    frames = make_frames(tmp_path, {f"S{i}_a": [[1, 2], [3, 4]] for i in range(3)})
    run(tmp_path, frames)
    # Once to describe itself and look at the backgrounds, once for all tasks of the process.
    assert StandIn.built == 2
    (tmp_path / "weights").write_text("new weights")
    assert run(tmp_path, frames).summary.detector["sha256"] == "new weights"
    assert StandIn.built == 4


def test_blocks_come_together_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(detect, "FRAMES_PER_TASK", 4)
    levels = list(range(1, 12))
    store = run(tmp_path, make_frames(tmp_path, {"S1_a": [levels, levels]}))
    np.testing.assert_array_equal(levels_found(store, "S1_a"), np.transpose([levels, levels]))
    assert store["S1_a"].record.found == {"cam0": 11, "cam1": 11}


def test_workers_give_the_same_as_none(tmp_path, monkeypatch):
    # Workers in this process: the stand-in exists in no other.
    monkeypatch.setattr(workers, "LocalCluster", partial(LocalCluster, processes=False))
    monkeypatch.setattr(detect, "FRAMES_PER_TASK", 4)
    levels = [*range(1, 10), NOBODY, 11, 12, 13]
    clips = {f"S{i}_a": [levels, levels[::-1]] for i in range(2)}
    frames = make_frames(tmp_path, {**clips, "S2_a": [levels, [*levels[:-1], CRASH]]})
    found = []
    for n in ("0", "2"):
        monkeypatch.setenv("EPILINE_WORKERS", n)
        found.append(run(tmp_path, frames, f"{n}.zarr"))
    assert found[0].summary == found[1].summary
    for name in found[0]:
        assert found[0][name].record == found[1][name].record
        for array in ("joints_px", "confidence", "box_px"):
            np.testing.assert_array_equal(found[0][name][array], found[1][name][array])
