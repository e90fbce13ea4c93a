"""Poses of two experiments side by side, as a page: the image, the truth, and what each network makes of the image.

As the figure of qualitative results of Kocabas et al. (CVPR 2019); here the skeletons can be turned.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import dvc.api
import numpy as np
from dvc.exceptions import DvcException
from dvc.scm import SCMError

from pipeline import metrics
from pipeline.errors import UserError
from pipeline.report.data.report_data import Files, ViewData, gather
from pipeline.report.page.blocks import Card, Rows, Section, number
from pipeline.report.page.images import crop_around, data_uri
from pipeline.report.page.render import render
from pipeline.report.page.scenes import pose_scene
from pipeline.video.packing import PackedFrames

WORKSPACE = Files(Path("data"), Path("models"), Path("reports"))
N_ROWS = 7


def side_by_side(names: Sequence[str], revisions: Sequence[str | None]) -> str:
    """The page for experiments by these names, whose revisions are None for the workspace.

    Rows go from the frame in which the experiments err least on average to the one in which they err most, evenly
    spread over the ranking. Raises UserError where an experiment's predictions are not at hand or not of the
    workspace's capture.
    """
    with ExitStack() as open_files:
        files = [open_files.enter_context(_files_of(*one)) for one in zip(names, revisions, strict=True)]
        section = _section(names, [gather(own, own.labels).select("test") for own in files])
    return render(" and ".join(names), "Drag the skeletons to turn them.", [], [section])


def _section(names: Sequence[str], seen: Sequence[list[ViewData]]) -> Section:
    """Of what each experiment says of the test recordings in their labelling views."""
    ranked = _ranked(seen)
    if not ranked:
        raise UserError("No frame has a pose to compare with in both", where=" and ".join(names), fix="Run dvc repro.")
    chosen = np.linspace(0, len(ranked) - 1, min(N_ROWS, len(ranked))).round().astype(int)
    reference = "truth" if seen[0][0].has_truth else "label"
    rows = [
        _row(frame, [views[v] for views in seen], names, errors, reference)
        for errors, v, frame in (ranked[i] for i in chosen)
    ]
    lead = f"{len(ranked)} frames of unseen people, from the one both err least in to the worst. N-MPJPE."
    return Section("rows", "Side by side", lead, [Rows("", ("image", reference, *names), rows)])


@contextmanager
def _files_of(name: str, revision: str | None) -> Iterator[Files]:
    """The workspace's files with the predictions of a revision."""
    if revision is None:
        yield WORKSPACE
        return
    with TemporaryDirectory() as folder:
        files = Files(Path(folder), WORKSPACE.models, WORKSPACE.reports)
        for path in (WORKSPACE.frames, WORKSPACE.poses2d, WORKSPACE.labels):
            (files.data / path.name).symlink_to(path.resolve())
        try:
            stored = dvc.api.DVCFileSystem(rev=revision)
            stored.get(WORKSPACE.predictions.as_posix(), str(files.predictions), recursive=True)
        except (DvcException, SCMError, FileNotFoundError) as error:
            fix = "dvc exp show lists experiments; dvc repro, or dvc exp run, makes their predictions."
            raise UserError(f"No predictions of {name} are at hand: {error}", fix=fix) from None
        yield files


def _ranked(seen: Sequence[list[ViewData]]) -> list[tuple[list[float], int, int]]:
    """Errors by experiment, place of the view, and frame, of all that can be compared; the smallest mean first."""
    found = []
    for v, views in enumerate(zip(*seen, strict=True)):
        errors = np.array([metrics.n_mpjpe(one.predicted_cam_mm, _reference(one)) for one in views])
        found += [(errors[:, i].tolist(), v, int(i)) for i in np.flatnonzero(np.isfinite(errors).all(0))]
    return sorted(found, key=lambda one: float(np.mean(one[0])))


def _reference(seen: ViewData) -> np.ndarray:
    return seen.true_cam_mm if seen.has_truth else seen.label_cam_mm


def _row(
    frame: int, views: Sequence[ViewData], names: Sequence[str], errors: Sequence[float], reference: str
) -> list[Card]:
    first = views[0]
    crop = crop_around(first.box_px[frame].reshape(2, 2), first.view.size_px)
    image = data_uri(crop.cut(PackedFrames(first.view.file)[frame]))
    truth = pose_scene({reference: _reference(first)[frame]})
    poses = [
        Card(f"{name}: {number(error)} mm", scene=pose_scene({"prediction": one.predicted_cam_mm[frame]}))
        for name, error, one in zip(names, errors, views, strict=True)
    ]
    return [
        Card(f"{first.recording.name}, {first.view.name}, frame {frame}", image),
        Card(reference, scene=truth),
        *poses,
    ]
