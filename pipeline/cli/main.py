"""The command `epiline`, its subcommands, and how errors reach the user."""

import importlib
import logging
import sys
from typing import NamedTuple

import click

from pipeline.errors import UserError, system_errors_for_user


class Entry(NamedTuple):
    """A subcommand: where its click command is, and the line that `epiline --help` shows for it."""

    target: str  # MODULE:NAME, imported when the subcommand is used
    summary: str


# Adding a subcommand is one file and one line here.
COMMANDS = {
    "adapt": Entry("pipeline.cli.adapt:adapt", "Adapt a lifting network to footage without labels."),
    "compare": Entry("pipeline.cli.compare:compare", "Compare the figures and the poses of two experiments."),
    "dev": Entry("pipeline.cli.dev:dev", "Programs for work on the project itself."),
    "export-rig": Entry("pipeline.cli.export_rig:export_rig", "Write the calibrated cameras for another program."),
    "profile": Entry("pipeline.cli.profile:profile", "Merge a profile into params.yaml."),
    "pss": Entry("pipeline.cli.pss:pss", "Inspect references of the pose structure score."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used, so that `--help` needs neither torch nor dask."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all subcommands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand; None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand. A `UserError`, and an error of the disk or of a path, becomes one line and exit code 1."""
        try:
            with system_errors_for_user():
                return super().invoke(ctx)
        except UserError as error:
            raise click.ClickException(" ".join(str(error).split())) from None


@click.group(cls=LazyGroup)
@click.version_option(package_name="epiline")
def main() -> None:
    """3D pose labels and a 3D pose network from multi-view footage.

    The pipeline itself runs with `dvc repro`; these commands work on its files.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
