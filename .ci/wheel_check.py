"""Build a wheel of the working tree, install it into a fresh environment and use it from there.

The environment takes the libraries from the one that runs this script, so nothing but setuptools is downloaded.
"""

import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKED = ("pipeline", "stages")
USE_IT = """
import pipeline, sys
from pipeline.report.page.render import render
assert pipeline.__file__.startswith(sys.prefix), f"{pipeline.__file__} is not the installed package"
assert "</html>" in render("Title", "Subtitle", [], [], [])
"""


def check() -> None:
    """Raise CalledProcessError or SystemExit where the wheel is incomplete or does not work."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wheel = build(folder)
        refuse_missing_files(wheel)
        python = install(wheel, folder / "env")
        for command in (["epiline", "--help"], ["epiline", "pss", "--help"], ["epiline", "export-rig", "--help"]):
            call([str(python.with_name(command[0])), *command[1:]], folder)
        call([str(python), "-c", USE_IT], folder)
        print(f"{wheel.name} works")


def build(folder: Path) -> Path:
    """Build the wheel from a copy, so that the working tree stays clean and leftovers of other builds stay out."""
    source = folder / "source"
    with tarfile.open(folder / "source.tar", "w") as archive:
        for name in tracked(*PACKED, "pyproject.toml", "README.md", "LICENSE"):
            archive.add(ROOT / name, name)
    with tarfile.open(folder / "source.tar") as archive:
        archive.extractall(source, filter="data")
    pip = [sys.executable, "-m", "pip"]
    call([*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)], folder)
    return next(folder.glob("*.whl"))


def refuse_missing_files(wheel: Path) -> None:
    """Every tracked file of the packages, data files included, must be in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        missing = sorted(set(tracked(*PACKED)) - set(archive.namelist()))
    if missing:
        sys.exit(f"{wheel.name} lacks {', '.join(missing)}: see [tool.setuptools.package-data] in pyproject.toml")


def install(wheel: Path, env: Path) -> Path:
    """Install the wheel into a new environment that sees this one's libraries; its Python."""
    call([sys.executable, "-m", "venv", "--without-pip", str(env)], env.parent)
    python = env / "bin" / "python"
    site = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    # A path that a .pth file names has its own .pth files ignored, among them that of the editable installation.
    (Path(site.strip()) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    call([sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)], env)
    return python


def tracked(*paths: str) -> list[str]:
    """The files below some paths that git tracks and that exist."""
    listed = subprocess.check_output(["git", "ls-files", "-z", "--", *paths], cwd=ROOT, text=True).split("\0")
    return [name for name in listed if name and (ROOT / name).exists()]


def call(command: list[str], folder: Path) -> None:
    """Run a command outside the repository; its output is shown only if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    check()
