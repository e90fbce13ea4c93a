"""All formats of 2D poses, and the search of a folder for the poses of a recording's views."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from zipfile import BadZipFile

from pipeline.errors import UserError
from pipeline.formats.poses2d import coco, deeplabcut, easymocap, mmpose, openpose, plain
from pipeline.formats.poses2d.frame_files import load_json
from pipeline.formats.poses2d.hdf5 import deeplabcut as deeplabcut_hdf5
from pipeline.formats.poses2d.hdf5 import sleap
from pipeline.formats.poses2d.people import PoseFile
from pipeline.formats.truth.truth_file import is_truth_file

# Opens a file or a folder: its views by name, none if it is not of this format, which the content tells. What it raises
# for values that the format does not allow is turned into an error about the file here.
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
# What readers raise for a file that is cut off or has other values than its format.
_WRONG_CONTENT = (ValueError, TypeError, LookupError, AttributeError, EOFError, RecursionError, BadZipFile)
_MEND = "Write it again, or remove it."
_ENDINGS = (".json", ".csv", ".npz", ".h5", ".hdf5")


def open_folder(folder: Path) -> dict[str, PoseFile]:
    """The 2D poses in a folder and the folders below it, by the names of their views.

    Files of the truth are not 2D poses. Raises UserError if there are none, if two have the same name, and for a file
    that is damaged.
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
    visible = (path for path in folder.iterdir() if path.name[0] != "." and not is_truth_file(path))
    below = sorted(visible, key=lambda path: path.name)
    stems: set[str] = set()  # of the files that were opened: a program may write the same poses in several formats
    for path in below if not of_folder else []:
        if path.suffix.lower() in _ENDINGS and path.is_file() and path.stem not in stems and (views := _open(path)):
            stems.add(path.stem)
            yield from views.items()
    for path in below if depth else []:
        if path.is_dir():
            yield from _opened(path, depth - 1)


def _open(path: Path) -> Mapping[str, PoseFile]:
    for name, open_views in FORMATS.items():
        try:
            views = open_views(path)
        except _WRONG_CONTENT as error:
            what = f"The file cannot be read as {name}: {type(error).__name__}: {error}"
            raise UserError(what, where=str(path), fix=_MEND) from None
        if views:
            return views
    if path.is_file() and path.suffix.lower() == ".json":
        _check_json(path)
    return {}


def _check_json(path: Path) -> None:
    """Raise UserError for a file that is no JSON: 2D poses that were cut off would be missing without a word."""
    try:
        load_json(path)
    except ValueError as error:
        raise UserError(f"The file is no JSON, or cut off: {error}", where=str(path), fix=_MEND) from None
