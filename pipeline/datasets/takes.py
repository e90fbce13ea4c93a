"""The layout of a folder of footage: which videos make which recording."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.alerts import Alert
from pipeline.errors import UserError
from pipeline.video.image_sequence import image_files

EXTENSIONS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mts", ".m2ts", ".ts", ".mpg", ".mpeg", ".wmv")
CALIBRATION = "calib"  # start of the names of folders with a calibration and its images


@dataclass(frozen=True)
class Take:
    """The videos of one recording, one per camera and named after it."""

    name: str  # SUBJECT or SUBJECT_ACTION
    folder: Path
    videos: list[Path]  # files, or folders of images

    @property
    def subject(self) -> str:
        """The name's part before the first underscore."""
        return self.name.partition("_")[0]

    @property
    def action(self) -> str:
        """The name's part after the first underscore; may be empty."""
        return self.name.partition("_")[2]


def find_takes(root: Path) -> list[Take]:
    """All recordings of a folder, by name: one per folder in it, or one of the videos directly in it.

    Raises UserError if the folder or the videos are missing, or if videos lie at both levels.
    """
    if not root.is_dir():
        raise UserError(f"The folder {root} does not exist", where="capture.root", fix="Name the folder of the videos.")
    direct = _videos_in(root)
    below = [Take(folder.name, folder, views) for folder in _folders_in(root) if (views := _views_in(folder))]
    if not below:
        direct = _views_in(root)
    if direct and below:
        fix = f"Put {direct[0].name} and the others into a folder SUBJECT_ACTION of their own."
        raise UserError(f"{root} holds videos both directly and in folders", where="capture.root", fix=fix)
    if not direct and not below:
        fix = f"Put them at SUBJECT_ACTION/CAMERA.mp4 in it (or {', '.join(EXTENSIONS[1:])}, or a folder of images)."
        raise UserError(f"{root} holds no videos", where="capture.root", fix=fix)
    return [Take(root.name, root, direct)] if direct else below


def choose_subjects(takes: list[Take], subjects: list[str] | str) -> list[Take]:
    """The takes of some subjects, or of `all`.

    Raises UserError for a subject without a take, and if no subject is chosen.
    """
    if subjects == "all":
        return takes
    existing = {take.subject for take in takes}
    unknown = sorted(set(subjects) - existing)
    if unknown or not subjects:
        what = f"No footage of {', '.join(unknown)}" if unknown else "No subject is chosen"
        raise UserError(what, where="capture.subjects", fix=f"There are {', '.join(sorted(existing))}; or write all.")
    return [take for take in takes if take.subject in subjects]


def check_names(take: Take) -> None:
    """Raise UserError if a take has several videos of one camera, or videos of fewer than two cameras."""
    names = [camera_name(video) for video in take.videos]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        files = ", ".join(video.name for video in take.videos if camera_name(video) in repeated)
        raise UserError(f"{take.folder} holds several videos of one camera: {files}", fix="Keep one of each camera.")
    if len(names) < 2:
        fix = "3D needs at least two synchronised cameras."
        raise UserError(f"{take.folder} holds the video of only one camera: {take.videos[0].name}", fix=fix)


def alerts_of_links(takes: list[Take]) -> list[Alert]:
    """An alert about the takes whose folder is a link, as DVC does not notice changes behind it."""
    linked = [take.name for take in takes if take.folder.is_symlink()]
    if not linked:
        return []
    shown = ", ".join(linked[:3]) + (f" and {len(linked) - 3} more" if len(linked) > 3 else "")
    return [Alert(
        kind="linked_folder", severity="warning", subject=shown,
        message="the folder of the take is a link, which DVC does not follow: a video that is replaced in it later "
        "changes no result",
        mend="Make a real folder and link the videos in it, which DVC follows.",
    )]  # fmt: skip


def camera_name(video: Path) -> str:
    """The name of a video's camera: that of the file without its ending, or that of the folder of images."""
    return video.name if video.is_dir() else video.stem


def _views_in(folder: Path) -> list[Path]:
    """The videos in a folder or, if it has none, the folders of images in it."""
    return _videos_in(folder) or [below for below in _folders_in(folder) if len(image_files(below)) > 1]


def _folders_in(folder: Path) -> list[Path]:
    """The folders in a folder without hidden ones and those of images of a calibration."""
    return sorted(
        path for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".") and not path.name.lower().startswith(CALIBRATION)
    )  # fmt: skip


def _videos_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in EXTENSIONS and not p.name.startswith("."))
