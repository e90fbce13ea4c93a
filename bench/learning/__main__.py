"""Compare experiments on the same data: mean and standard deviation over seeds.

    python -m bench.learning [--demo FOLDER] [--json docs/results.json] [--seeds 3] [--only NAME ...]
    python -m bench.learning --motion FOLDER [the same] [--quick]

`--demo` names a folder in which `dvc repro` was run, by default the current folder; the runs are kept in `bench_runs/`
and not repeated. `--motion` names a folder with `cmu/motion.npz` and `camera_rigs.npz`, see docs/results.md. The JSON
file gets {data: {experiment: {metric: {mean, std, seeds}}}}; its other entries are kept. The Markdown page of the same
name beside it gets the tables.
"""

import argparse
import json
import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bench.learning import demo, lifting
from bench.learning.tables import write_tables

COMMANDS = {demo.DATA: demo.COMMANDS}
Run = tuple[str, dict[str, float]]  # the name of an experiment and its figures
Figures = dict[str, dict[str, dict[str, float]]]  # experiment -> metric -> mean, std, seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--demo", type=Path, default=Path(), help="folder in which the demo was run")
    data.add_argument("--motion", type=Path, help="folder of the real motion and the real cameras")
    parser.add_argument("--json", type=Path, help="file of the results; tables go to the .md of the same name")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--only", nargs="+", choices=[*demo.EXPERIMENTS, *lifting.EXPERIMENTS], metavar="NAME", help="only these"
    )
    parser.add_argument(
        "--quick", action="store_true", help="two experiments on motion, one seed, an eighth of the data"
    )
    args = parser.parse_args()
    logging.disable(logging.INFO)
    if args.quick and args.motion:
        runs = list(lifting.results(args.motion, list(lifting.QUICK), range(1), quick=True))
        figures = {f"{name}: {key}": value for name, found in runs for key, value in found.items()}
        print("\n".join(f"{key} {value:.1f}" for key, value in figures.items()))
        if args.json:
            args.json.write_text(json.dumps(figures, indent=1) + "\n")
    elif args.motion:
        names = args.only or list(lifting.EXPERIMENTS)
        compare(lifting.DATA, lifting.results(args.motion, names, range(args.seeds), quick=False), args.json)
    else:
        names = args.only or list(demo.EXPERIMENTS)
        compare(demo.DATA, demo.results(args.demo, names, range(args.seeds), Path("bench_runs")), args.json)


def compare(data: str, runs: Iterable[Run], path: Path | None) -> None:
    """Print each run when it ends, and write the summary of the runs so far."""
    found: dict[str, list[dict[str, float]]] = {}
    for name, figures in runs:
        found.setdefault(name, []).append(figures)
        print(f"{name}: " + ", ".join(f"{key} {value:.1f}" for key, value in figures.items()), flush=True)
        if path:
            kept = json.loads(path.read_text()) if path.exists() else {}
            kept.setdefault(data, {}).update(summary(found))
            path.write_text(json.dumps(kept, indent=1) + "\n")
            write_tables(path.with_suffix(".md"), kept, COMMANDS)


def summary(found: dict[str, list[dict[str, float]]]) -> Figures:
    """Mean, standard deviation (0 for a single run) and number of runs, by experiment and metric."""
    return {name: {key: _spread([run[key] for run in runs]) for key in runs[0]} for name, runs in found.items()}


def _spread(values: list[float]) -> dict[str, float]:
    std = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return {"mean": round(float(np.mean(values)), 2), "std": round(float(std), 2), "seeds": len(values)}


if __name__ == "__main__":
    main()
