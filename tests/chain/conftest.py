"""A copy of the repository of its own, set to the tiny profile, for the real commands."""

import json
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

    def stages(self, *command: str) -> set[str]:
        """The stages that a command of DVC ran."""
        lines = self.run("dvc", *command).splitlines()
        return {line.split("'")[1] for line in lines if line.startswith("Running stage '")}

    def changed(self) -> set[str]:
        """The stages that DVC would run, as far as it can tell before it runs any."""
        return set(json.loads(self.run("dvc", "status", "--json")))

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that stands in a file."""
        text = (self.path / file).read_text()
        assert old in text
        (self.path / file).write_text(text.replace(old, new, 1))

    def commit(self, message: str) -> None:
        """Commit everything that is not ignored."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "-m", message)

    def reset(self) -> None:
        """Go back to what is committed, data included."""
        self.run("git", "reset", "--quiet", "--hard")
        self.run("dvc", "checkout", "--quiet")


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
