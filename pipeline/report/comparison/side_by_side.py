"""Poses of two experiments side by side, as a page: the image, the truth, and each network's prediction.

The page follows the qualitative results of Kocabas et al. (CVPR 2019); its skeletons can be rotated.
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
from pipeline.report.data.breakdown import reference_name
from pipeline.report.data.files import Files
from pipeline.report.data.report_data import ViewData, gather
from pipeline.report.page.blocks import Card, Rows, Section, number
from pipeline.report.page.images import crop_around, data_uri
from pipeline.report.page.render import render
from pipeline.report.page.scenes import pose_scene

WORKSPACE = Files(Path("data"), Path("models"), Path("reports"))
N_ROWS = 7


def side_by_side(names: Sequence[str], revisions: Sequence[str | None]) -> str:
    """The page for experiments with these names; a revision of None stands for the workspace.

    The rows go from the frame with the smallest mean error of the experiments to the frame with the largest, evenly
    spread over the ranking. Raises UserError if the predictions of an experiment are missing, or do not belong to the
    capture of the workspace.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(_files_of(*one)) for one in zip(names, revisions, strict=True)]
        section = _section(names, [gather(own).select("test") for own in files])
    return render(" and ".join(names), "Drag a skeleton to rotate it.", [], [section], ("truth", "label", "prediction"))


def _section(names: Sequence[str], experiments: Sequence[list[ViewData]]) -> Section:
    """The rows, from the labelling views of the test recordings of each experiment."""
    ranked = _ranked(experiments)
    if not ranked:
        raise UserError("No frame has a pose to compare with in both", where=" and ".join(names), fix="Run dvc repro.")
    chosen = np.linspace(0, len(ranked) - 1, min(N_ROWS, len(ranked))).round().astype(int)
    reference = "truth" if experiments[0][0].has_truth else "label"
    rows = [
        _row(frame, [views[v] for views in experiments], names, errors, reference)
        for errors, v, frame in (ranked[i] for i in chosen)
    ]
    lead = f"{len(ranked)} frames of unseen people, ordered by the mean N-MPJPE of both experiments."
    return Section("rows", "Side by side", lead, [Rows("", ("image", reference, *names), rows)])


@contextmanager
def _files_of(name: str, revision: str | None) -> Iterator[Files]:
    """The files of the workspace with the predictions of a revision."""
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
            fix = "dvc exp show lists experiments; dvc repro and dvc exp run make their predictions."
            raise UserError(f"{name} has no predictions: {error}", fix=fix) from None
        yield files


def _ranked(experiments: Sequence[list[ViewData]]) -> list[tuple[list[float], int, int]]:
    """Errors of the experiments, index of the view, and frame, of all comparable frames; the smallest mean first."""
    found = []
    for v, views in enumerate(zip(*experiments, strict=True)):
        errors = np.array([metrics.n_mpjpe(view.predicted_cam_mm, _reference(view)) for view in views])
        found += [(errors[:, i].tolist(), v, int(i)) for i in np.flatnonzero(np.isfinite(errors).all(0))]
    return sorted(found, key=lambda one: float(np.mean(one[0])))


def _reference(view: ViewData) -> np.ndarray:
    reference: np.ndarray = getattr(view, reference_name(view))
    return reference


def _row(
    frame: int, views: Sequence[ViewData], names: Sequence[str], errors: Sequence[float], reference: str
) -> list[Card]:
    first = views[0]
    crop = crop_around(first.box_px[frame].reshape(2, 2), first.size_px)
    image = data_uri(crop.cut(first.images[frame]))
    target = pose_scene({reference: _reference(first)[frame]})
    poses = [
        Card(f"{name}: {number(error)} mm", scene=pose_scene({"prediction": view.predicted_cam_mm[frame]}))
        for name, error, view in zip(names, errors, views, strict=True)
    ]
    return [Card(first.at(frame), image), Card(reference, scene=target), *poses]
