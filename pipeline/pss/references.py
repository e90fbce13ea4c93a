"""Files of references: fitted by the stage `pss`, or frozen and shared by many experiments."""

import io
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from pipeline.alerts import Alert, log_alerts
from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.params.pss import PssParams
from pipeline.pss.fit import complete, digest, fit_reference
from pipeline.pss.score import SPACE, Reference
from pipeline.pss.sources import draw_poses, has_truth
from pipeline.truth import open_truth

log = logging.getLogger("epiline")


def fit_references(frames: Path, labels: Path, rigs: Path, path: Path, params: PssParams) -> None:
    """Write a reference for every k of the parameters: fitted on the training recordings, or from a frozen file.

    Footage without truth uses the labels; the metadata of a reference name the source. A k with fewer complete poses
    than clusters has no reference, and the file has an alert that says so. Raises UserError for a frozen file without
    the requested references.
    """
    if params.reference == "fit":
        references, alerts = _fitted(frames, labels, rigs, params)
    else:
        references, alerts = _frozen(_reference_file(Path(params.frozen)), params.k), []
    log_alerts(alerts)
    write_references(path, references, alerts)


def _fitted(frames: Path, labels: Path, rigs: Path, params: PssParams) -> tuple[list[Reference], list[Alert]]:
    capture = read_capture(frames)
    truth = open_truth(frames / "truth.zarr", labels, rigs) if params.source == "truth" else None
    truth = truth if has_truth(capture, truth) else None
    source = "labels" if truth is None else "truth"
    if source != params.source:
        log.info("PSS: the references are fitted on the labels, because the footage has no truth")
    poses = draw_poses(capture, truth, labels, params.seed)
    n = len(complete(poses))
    names = sorted({recording.name for recording in capture.recordings if recording.split == "train"})
    references = [
        fit_reference(poses, k, params.seed, source=source, capture=capture.source, recordings=names)
        for k in params.k if k <= n
    ]  # fmt: skip
    too_many = [k for k in params.k if k > n]
    return references, [_few_poses(too_many, n, len(poses), source)] if too_many else []


def _few_poses(k: list[int], n_complete: int, n_poses: int, source: str) -> Alert:
    many = ", ".join(str(one) for one in k)
    return Alert(
        kind="few_poses", severity="note", subject="pose structure score",
        message=f"no score with {many} clusters, as the training recordings have too few complete poses",
        evidence=f"{n_complete} of {n_poses} poses have all joints, by the {source}",
        mend="Use fewer clusters (pss.k), or a frozen reference (pss.reference).",
    )  # fmt: skip


def _reference_file(path: Path) -> Path:
    """The file of frozen references at `path`, or the only such file in the folder at `path`."""
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.npz"))
    if len(files) != 1:
        what = f"pss.frozen = {path} must hold one file of references (.npz), but holds {len(files)}"
        raise UserError(what, where="params.yaml", fix="Name the file, or set pss.reference to fit.")
    return files[0]


def _frozen(path: Path, wanted: list[int]) -> list[Reference]:
    found = {reference.k: reference for reference in read_references(path)}
    if not set(wanted) <= set(found):
        what = f"pss.k = {wanted}, but {path} has references of k = {sorted(found)}"
        raise UserError(what, where="params.yaml", fix="Use one of those, or fit references with pss.reference=fit.")
    for k in wanted:
        log.info("PSS: frozen reference of %d clusters from %s (%s)", k, path, found[k].metadata["sha256"][:8])
    return [found[k] for k in wanted]


def write_references(path: Path, references: list[Reference], alerts: Sequence[Alert] = ()) -> None:
    """Write references to a file that `read_references` reads and `pss.frozen` may name, and doubts about them."""
    arrays: dict[str, Any] = {
        f"centers_{reference.k}": reference.centers.astype(np.float32) for reference in references
    }
    arrays["about"] = json.dumps([reference.metadata for reference in references])
    arrays["alerts"] = json.dumps([alert.model_dump(mode="json") for alert in alerts])
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with atomic_write(path) as aside:
        aside.write_bytes(buffer.getvalue())


def read_references(path: Path) -> list[Reference]:
    """Read references.

    Raises UserError if the file has none, if skeleton or normalisation differ from this code's (the message names
    both), and if the centres were changed after they were written.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist", fix="Run the stages before this one: dvc repro.")
    try:
        with np.load(path) as file:
            metadata = json.loads(str(file["about"]))
            references = [Reference(file[f"centers_{one['k']}"], one) for one in metadata]
    except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
        raise UserError(f"{path} holds no references of the pose structure score: {error}") from None
    for reference in references:
        _check(path, reference)
    return [Reference(reference.centers.astype(float), reference.metadata) for reference in references]


def read_reference_alerts(path: Path) -> list[Alert]:
    """The doubts that the stage `pss` stated in a file of references; none in files of other origin."""
    with np.load(path) as file:
        return [Alert(**one) for one in json.loads(str(file["alerts"]))] if "alerts" in file else []


def _check(path: Path, reference: Reference) -> None:
    for key, expected in SPACE.items():
        stored = reference.metadata.get(key)
        if stored != expected:
            what = f"the references in {path} have {key} {_quoted(stored)}; this code has {_quoted(expected)}"
            raise UserError(what, fix="Use a reference with the same normalisation, or pss.reference=fit.")
    if digest(reference.centers) != reference.metadata.get("sha256"):
        what = f"the centres of k = {reference.k} in {path} were changed: their SHA-256 differs from the stored one"
        raise UserError(what, fix="Copy the file again from its source.")


def _quoted(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else f"“{value}”"
