"""The source `demo`: rendered people seen by five cameras, as video files with the true poses beside them."""

from pathlib import Path

import cv2
import numpy as np

from pipeline.capture import Capture, Recording, View
from pipeline.errors import UserError
from pipeline.geometry.camera.model import Camera
from pipeline.params.capture import CaptureParams, DemoParams
from pipeline.stores import TRUTH, TruthRecord, TruthSummary, create_store
from pipeline.synthetic.cameras import draw_rig
from pipeline.synthetic.people.actions import ACTIONS
from pipeline.synthetic.people.motion import Clip, animate
from pipeline.synthetic.people.person import Person, draw_person
from pipeline.synthetic.processes import run_in_processes
from pipeline.synthetic.render.parts import make_parts
from pipeline.synthetic.render.room import Room, draw_room
from pipeline.synthetic.render.scene import SensorModel, draw_grain, prepare_view, render, render_background
from pipeline.synthetic.seeds import CAPTURE, generator

RIG = "demo"
N_LABELLING = 4  # the cameras after these are for evaluation only
RECORDINGS_PER_SUBJECT = 2
SENSOR, NOISE = SensorModel(blur_px=0.5, gain=1.0, gamma=0.75), 2.5


def read_demo(params: CaptureParams, footage: Path, capture: Path) -> None:
    """Render the demo capture into the folder `capture`: videos, manifest and truth.

    Raises UserError for subjects that the demo does not have and for a split that leaves nothing to train on.
    """
    del footage  # everything is rendered
    demo = params.demo
    names = _subjects(params)
    (capture / "videos").mkdir(parents=True)
    cameras = make_world(demo)[1]
    recordings = [r for name in names for r in _recordings(name, name in params.test_subjects, demo, cameras)]
    tasks = [(demo, r.name, r.subject, r.action, v, capture / r.views[v].file)
             for r in recordings for v in range(len(cameras))]  # fmt: skip
    run_in_processes(_render_video, tasks, "rendering the demo capture", "video")
    Capture(source="demo", recordings=recordings).write(capture)
    with create_store(capture / "truth.zarr", TRUTH, TruthSummary(source="demo", is_aligned=False)) as truth:
        for r in recordings:
            joints = make_clip(demo, r.name, r.subject, r.action)[1].bodies.joints_mm
            record = TruthRecord(persons=[r.subject], source="demo", sha256="", coordinates="world", missing=[])
            group = truth.create(r.name, {"frame": len(joints)}, record)
            group.person(0).write(0, {"joints_world_mm": joints, "time_s": np.arange(len(joints)) / r.fps})


def _subjects(params: CaptureParams) -> list[str]:
    known = [f"S{i + 1}" for i in range(params.demo.subjects)]
    names = known if params.subjects == "all" else params.subjects
    for key, wanted in (("subjects", names), ("test_subjects", params.test_subjects)):
        unknown = [name for name in wanted if name not in known]
        if unknown:
            fix = f"The demo has {', '.join(known)}."
            raise UserError(f"Unknown subject {', '.join(unknown)}", where=f"capture.{key}", fix=fix)
    if all(name in params.test_subjects for name in names):
        fix = "Keep at least one subject that is not a test subject."
        raise UserError("No subject is left to train on", where="capture.test_subjects", fix=fix)
    return [name for name in known if name in names]


def _recordings(subject: str, test: bool, demo: DemoParams, cameras: list[Camera]) -> list[Recording]:
    actions, i = list(ACTIONS), int(subject[1:]) - 1
    n_frames = max(1, round(demo.seconds / RECORDINGS_PER_SUBJECT * demo.fps))
    # Two different actions for each subject. The index of the second advances faster, so that no two of seven
    # successive subjects have both actions in common.
    chosen = [actions[i % len(actions)], actions[(3 + 3 * i + i // len(actions)) % len(actions)]]
    if chosen[0] == chosen[1]:
        chosen[1] = actions[(i + 1) % len(actions)]
    recordings = []
    for action in chosen:
        name = f"{subject}_{action}"
        views = [View.of(f"cam{v + 1}", f"videos/{name}.cam{v + 1}.mp4", camera, evaluation_only=v >= N_LABELLING)
                 for v, camera in enumerate(cameras)]  # fmt: skip
        recordings.append(Recording(
            name=name, subject=subject, action=action, split="test" if test else "train", rig=RIG,
            height_mm=round(make_person(demo, subject).build.height), fps=demo.fps, n_frames=n_frames, views=views,
        ))  # fmt: skip
    return recordings


def make_world(demo: DemoParams) -> tuple[Room, list[Camera]]:
    """The room and the five cameras of the demo."""
    return draw_room(generator(demo.seed, CAPTURE, "room"), stool=True), draw_rig(
        generator(demo.seed, CAPTURE, "cameras"), demo.size_px
    )


def make_person(demo: DemoParams, subject: str) -> Person:
    """A subject of the demo."""
    return draw_person(generator(demo.seed, CAPTURE, "person", subject))


def make_clip(demo: DemoParams, recording: str, subject: str, action: str) -> tuple[Person, Clip]:
    """The person of a recording and their motion."""
    person = make_person(demo, subject)
    n_seconds = demo.seconds / RECORDINGS_PER_SUBJECT
    return person, animate(person, action, n_seconds, demo.fps, generator(demo.seed, CAPTURE, "motion", recording))


def _render_video(demo: DemoParams, recording: str, subject: str, action: str, view: int, file: Path) -> None:
    """Render the video of one view of a recording."""
    room, cameras = make_world(demo)
    render_view = prepare_view(room, cameras[view])
    person, clip = make_clip(demo, recording, subject, action)
    parts, paint = make_parts(person, clip.bodies)
    rng = generator(demo.seed, CAPTURE, "noise", recording, str(view))
    grain = draw_grain(rng, 2 * demo.size_px, NOISE)
    empty = render_background(render_view, SENSOR)
    video = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), demo.fps, (demo.size_px, demo.size_px))
    if not video.isOpened():
        raise UserError("OpenCV cannot write mp4 files here", where=str(file), fix="Install opencv-python from PyPI.")
    for frame_parts in parts:
        v, u = rng.integers(demo.size_px, size=2)
        image = render(render_view, frame_parts, paint, SENSOR, grain[v:, u:], empty)
        video.write(image[..., ::-1])
    video.release()
