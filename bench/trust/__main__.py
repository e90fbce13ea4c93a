"""Whether anything is wrong without a word, and whether every stated uncertainty holds: docs/trust.md explains it.

    python -m bench.trust [--data FOLDER] [--prepared FOLDER] [--demo DATA] [--quick] [--json FILE]

Simulated footage needs nothing. Real footage is given by `--data` and prepared, with MediaPipe, in the folder
`--prepared`, once. `make bench-peers` installs Caliscope, whose rigs are then shown beside ours.
"""

import argparse
import json
import os
from pathlib import Path

from threadpoolctl import threadpool_limits

from bench.trust import files, real_cases, real_sets, reliability, seeds, simulated_sets
from bench.trust.cases import common_cases, simulated_cases, simulated_scenes
from bench.trust.judge import HEADER, Judge, Judged, summary
from bench.trust.takes.footage import prepare
from bench.trust.takes.take import Take

QUICK_S, FULL_S = 3.0, 5.0  # seconds of a simulated take
FULL_SEEDS = 8


def main(data: Path | None, prepared: Path, demo: Path | None, *, quick: bool, target: Path | None) -> dict[str, float]:
    """Print all tables, write and return the figures of the summary."""
    os.environ.setdefault("EPILINE_WORKERS", "0")  # tasks are too small for processes of their own
    with threadpool_limits(1):
        figures = measure(data, prepared, demo, quick=quick)
    print(f"\n{json.dumps(figures, indent=2)}")
    if target is not None:
        target.write_text(json.dumps(figures, indent=2) + "\n")
    return figures


def measure(data: Path | None, prepared: Path, demo: Path | None, *, quick: bool) -> dict[str, float]:
    """Print all tables and return the figures of the summary."""
    seconds = QUICK_S if quick else FULL_S
    judged, scenes = simulated(0, seconds)
    judged += files.run(0, seconds)
    if not quick:
        judged += simulated(1, seconds)[0]
    figures: dict[str, float] = reliability.run(demo, seeds=1 if quick else FULL_SEEDS, seconds=seconds)
    takes = {"room": scenes["room"], "desk": scenes["desk"]}
    names = prepare(data, prepared) if data else []
    if not quick:
        figures |= simulated_sets.summary(simulated_sets.run(FULL_SEEDS))
    if data:
        judged += real_cases.run(data, prepared, names)
        figures |= real_sets.summary(real_sets.run(data, prepared))
        takes |= {name: take for name, take in real_cases.real_scenes(data, prepared, names).items() if name != "room"}
    if not quick:
        figures |= seeds.run(takes)
    return summary(judged) | figures


def simulated(seed: int, seconds: float) -> tuple[list[Judged], dict[str, Take]]:
    """Judge the cases on simulated takes; also return the takes."""
    print(f"\nSimulated footage, seed {seed}\n{HEADER}")
    scenes = simulated_scenes(seed, seconds)
    return Judge(scenes).run([*common_cases(), *simulated_cases(seed, seconds)]), scenes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of real footage; see docs/trust.md")
    parser.add_argument(
        "--prepared", type=Path, default=Path("build/trust"), help="where the stages' outputs of real footage are kept"
    )
    parser.add_argument("--demo", type=Path, help="data folder of a capture with truth, such as that of dvc repro")
    parser.add_argument("--quick", action="store_true", help="simulated footage of one seed only")
    parser.add_argument("--json", type=Path, help="write the summary's figures here")
    arguments = parser.parse_args()
    main(arguments.data, arguments.prepared, arguments.demo, quick=arguments.quick, target=arguments.json)
