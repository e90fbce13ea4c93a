"""All formats of 2D poses, and the search of a folder for the poses of a recording's views."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.errors import UserError
from pipeline.formats.poses2d import coco, openpose, plain
from pipeline.formats.poses2d.people import PoseFile

# Opens a file or a folder: its views by name, none if it is not of this format, which the content tells.
Open = Callable[[Path], Mapping[str, PoseFile]]

# Adding a format is one module and one line here.
FORMATS: dict[str, Open] = {
    "OpenPose JSON": openpose.open_views,
    "COCO JSON": coco.open_views,
    "CSV": plain.open_csv,
    "npz": plain.open_npz,
}
_DEPTH = 3  # of the folders below the recording's that are searched
_ENDINGS = (".json", ".csv", ".npz")


def open_folder(folder: Path) -> dict[str, PoseFile]:
    """The 2D poses in a folder and the folders below it, by the names of their views.

    Raises UserError if there are none, or if two have the same name.
    """
    views: dict[str, PoseFile] = {}
    for path in _candidates(folder, _DEPTH):
        for name, opened in _open(path).items():
            if name in views:
                what = f"{views[name].where} and {opened.where} are both of view {name}"
                raise UserError(what, where=str(folder), fix="Keep the 2D poses of one program.")
            views[name] = opened
    if not views:
        known = ", ".join(FORMATS)
        fix = f"Put them there in one of the formats {known} (docs/poses2d.md)."
        raise UserError(f"{folder} holds no 2D poses", where="detect.files", fix=fix)
    return views


def _candidates(folder: Path, depth: int) -> list[Path]:
    """A folder, the files in it that may hold poses, and the same of the folders below; nothing hidden."""
    below = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in below if path.suffix.lower() in _ENDINGS and path.is_file()]
    folders = [path for path in below if path.is_dir()] if depth else []
    return [
        folder,
        *([] if openpose.open_views(folder) else files),
        *(c for f in folders for c in _candidates(f, depth - 1)),
    ]


def _open(path: Path) -> Mapping[str, PoseFile]:
    return next((views for open_views in FORMATS.values() if (views := open_views(path))), {})
