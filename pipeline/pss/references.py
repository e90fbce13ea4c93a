"""References on disk: fitted by the stage, or frozen once and used by many experiments."""

import io
import json
import logging
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from pipeline.capture import read_capture
from pipeline.errors import UserError
from pipeline.files import atomic_write
from pipeline.params.pss import PssParams
from pipeline.pss.fit import complete, digest, fit_reference
from pipeline.pss.score import SPACE, Reference
from pipeline.pss.sources import draw_poses, has_truth

log = logging.getLogger("epiline")


def fit_references(frames: Path, labels: Path, structure: Path, params: PssParams) -> None:
    """Write a reference for every k of the parameters: fitted on the training recordings, or those of a frozen file.

    Where the footage has no truth the labels stand in for it; `about` says which was used.
    Raises UserError where there are fewer poses than clusters, and for a frozen file that does not fit.
    """
    if params.reference == "fit":
        references = _fitted(frames, labels, params)
    else:
        references = _frozen(_reference_file(Path(params.frozen)), params.k)
    write_references(structure, references)


def _fitted(frames: Path, labels: Path, params: PssParams) -> list[Reference]:
    capture = read_capture(frames)
    source = "truth" if params.source == "truth" and has_truth(capture, frames) else "labels"
    if source != params.source:
        log.info("structure: the footage has no truth, so the references are fitted on the labels")
    poses = draw_poses(capture, frames, labels, source, params.seed)
    n = len(complete(poses))
    if n < max(params.k):
        what = f"pss.k = {max(params.k)} is more than the {n} complete poses of the training recordings ({source})"
        raise UserError(what, where="params.yaml", fix="Use fewer clusters, or more footage.")
    names = sorted({recording.name for recording in capture.recordings if recording.split == "train"})
    return [
        fit_reference(poses, k, params.seed, source=source, capture=capture.source, recordings=names) for k in params.k
    ]


def _reference_file(path: Path) -> Path:
    """The file with frozen references that is named, or that is the only one in the folder that is named."""
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.npz"))
    if len(files) != 1:
        what = f"pss.frozen = {path} should hold one file of references (.npz), but has {len(files)} of them"
        raise UserError(what, where="params.yaml", fix="Name the file, or set pss.reference to fit.")
    return files[0]


def _frozen(path: Path, wanted: list[int]) -> list[Reference]:
    found = {reference.k: reference for reference in read_references(path)}
    if not set(wanted) <= set(found):
        what = f"pss.k = {wanted}, but {path} has references of k = {sorted(found)}"
        raise UserError(what, where="params.yaml", fix="Ask for those, or fit references of your own.")
    for k in wanted:
        log.info(
            "structure: the frozen reference of %d clusters from %s (%s)", k, path, found[k].metadata["sha256"][:8]
        )
    return [found[k] for k in wanted]


def write_references(structure: Path, references: list[Reference]) -> None:
    """Write references into one file, which `read_references` reads and `pss.frozen` may name."""
    arrays: dict[str, Any] = {
        f"centers_{reference.k}": reference.centers.astype(np.float32) for reference in references
    }
    arrays["about"] = json.dumps([reference.metadata for reference in references])
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with atomic_write(structure) as aside:
        aside.write_bytes(buffer.getvalue())


def read_references(structure: Path) -> list[Reference]:
    """Read references.

    Raises UserError where there are none, where they are of another skeleton or normalisation (the message says
    both), and where the centres are not the ones that were written.
    """
    if not structure.exists():
        raise UserError(f"{structure} does not exist", fix="Run the stages before this one: dvc repro.")
    try:
        with np.load(structure) as file:
            metadata = json.loads(str(file["about"]))
            references = [Reference(file[f"centers_{one['k']}"], one) for one in metadata]
    except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
        raise UserError(f"{structure} holds no references of the pose structure score: {error}") from None
    for reference in references:
        _check(structure, reference)
    return [Reference(reference.centers.astype(float), reference.metadata) for reference in references]


def _check(structure: Path, reference: Reference) -> None:
    for key, ours in SPACE.items():
        theirs = reference.metadata.get(key)
        if theirs != ours:
            what = f"{structure} holds poses of another kind: {key} {_told(theirs)}; this code has {_told(ours)}"
            raise UserError(what, fix="Use a reference of the same kind, or pss.reference=fit.")
    if digest(reference.centers) != reference.metadata.get("sha256"):
        what = f"the centres of k = {reference.k} in {structure} are not those that were written"
        raise UserError(f"{what}: their SHA-256 is another", fix="Copy the file again from where it came.")


def _told(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else f"“{value}”"
