"""The layout of a folder of footage: which videos make which recording."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.alerts import Alert
from pipeline.errors import UserError

EXTENSIONS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")


@dataclass(frozen=True)
class Take:
    """The videos of one recording, one per camera and named after it."""

    name: str  # SUBJECT or SUBJECT_ACTION
    folder: Path
    videos: list[Path]

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
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    below = [Take(folder.name, folder, videos) for folder in folders if (videos := _videos_in(folder))]
    if direct and below:
        fix = f"Put {direct[0].name} and the others into a folder SUBJECT_ACTION of their own."
        raise UserError(f"{root} holds videos both directly and in folders", where="capture.root", fix=fix)
    if not direct and not below:
        fix = f"Put them at SUBJECT_ACTION/CAMERA.mp4 in it (or {', '.join(EXTENSIONS[1:])})."
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
    names = [video.stem for video in take.videos]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        files = ", ".join(video.name for video in take.videos if video.stem in repeated)
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


def _videos_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in EXTENSIONS and not p.name.startswith("."))
