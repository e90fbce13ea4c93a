"""A copy of the repository of its own, set to the tiny profile, for the real commands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.params.profile import apply_profile
from tests.house.imports import ROOT


class Repository:
    """A copy of the project in which commands run as a user would run them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a command; its whole output. Fails the test when its success is not as expected."""
        env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
        done = subprocess.run(
            command, cwd=self.path, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        print(f"$ {' '.join(command)}\n{done.stdout}")
        assert (done.returncode != 0) == fails, done.stdout[-3000:]
        return done.stdout

    def commit(self, message: str) -> None:
        """Commit everything that is not ignored."""
        self.run("git", "add", "--all")
        self.run(
            "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--allow-empty", "-m", message
        )


def stages_run(output: str) -> list[str]:
    """The stages that DVC says it ran, in order."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage '")]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The project's tracked files as they stand, committed, with the tiny profile."""
    path = tmp_path_factory.mktemp("chain") / "epiline"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True, capture_output=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).exists() and name not in ("dvc.lock", "reports/metrics.json"):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, path / name)
    apply_profile(path / "profiles/tiny.yaml", path / "params.yaml")
    repository = Repository(path)
    repository.run("git", "init", "--quiet")
    repository.run("git", "config", "user.name", "tester")
    repository.run("git", "config", "user.email", "tester@localhost")
    repository.commit("tiny")
    return repository
