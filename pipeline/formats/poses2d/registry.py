"""All formats of 2D poses, and the search of a folder for the poses of a recording's views."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline.errors import UserError
from pipeline.formats.poses2d import coco, deeplabcut, easymocap, mmpose, openpose, plain
from pipeline.formats.poses2d.hdf5 import deeplabcut as deeplabcut_hdf5
from pipeline.formats.poses2d.hdf5 import sleap
from pipeline.formats.poses2d.people import PoseFile

# Opens a file or a folder: its views by name, none if it is not of this format, which the content tells.
Open = Callable[[Path], Mapping[str, PoseFile]]

# Adding a format is one module and one line here.
FORMATS: dict[str, Open] = {
    "OpenPose JSON": openpose.open_views,
    "EasyMocap annots": easymocap.open_views,
    "MMPose JSON": mmpose.open_views,
    "COCO JSON": coco.open_views,
    "DeepLabCut CSV": deeplabcut.open_views,
    "DeepLabCut or Anipose HDF5": deeplabcut_hdf5.open_views,
    "SLEAP HDF5": sleap.open_views,
    "CSV": plain.open_csv,
    "npz": plain.open_npz,
}
_DEPTH = 3  # of the folders below the recording's that are searched
_ENDINGS = (".json", ".csv", ".npz", ".h5", ".hdf5")


def open_folder(folder: Path) -> dict[str, PoseFile]:
    """The 2D poses in a folder and the folders below it, by the names of their views.

    Raises UserError if there are none, or if two have the same name.
    """
    views: dict[str, PoseFile] = {}
    for name, opened in _opened(folder, _DEPTH):
        if name in views:
            what = f"{views[name].where} and {opened.where} are both of view {name}"
            raise UserError(what, where=str(folder), fix="Keep the 2D poses of one program and one step of it.")
        views[name] = opened
    if not views:
        known = ", ".join(FORMATS)
        fix = f"Put them there in one of the formats {known} (docs/poses2d.md)."
        raise UserError(f"{folder} holds no 2D poses", where="detect.files", fix=fix)
    return views


def _opened(folder: Path, depth: int) -> Iterator[tuple[str, PoseFile]]:
    """The views of a folder of files of frames, or of the files in it, and of the folders below; nothing hidden."""
    of_folder = _open(folder)
    yield from of_folder.items()
    below = sorted((path for path in folder.iterdir() if path.name[0] != "."), key=lambda path: path.name)
    stems: set[str] = set()  # of the files that were opened: a program may write the same poses in several formats
    for path in below if not of_folder else []:
        if path.suffix.lower() in _ENDINGS and path.is_file() and path.stem not in stems and (views := _open(path)):
            stems.add(path.stem)
            yield from views.items()
    for path in below if depth else []:
        if path.is_dir():
            yield from _opened(path, depth - 1)


def _open(path: Path) -> Mapping[str, PoseFile]:
    return next((views for open_views in FORMATS.values() if (views := open_views(path))), {})
