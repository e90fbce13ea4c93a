"""Compare the ways of teaching on the same data: mean and spread over seeds.

    python -m bench.learning [--demo FOLDER] [--json docs/results.json] [--seeds 3] [--only NAME ...]
    python -m bench.learning --motion FOLDER [the same] [--quick]

The demo's folder is one in which `dvc repro` was run, by default this one; the runs are kept in `bench_runs/` and not
made twice. That of the motion holds `cmu/motion.npz` and `camera_rigs.npz`, see docs/results.md. The file gets {data:
{method: {metric: {mean, std, seeds}}}}; what it held of other data and methods stays, and the page of the same name
beside it gets the tables.
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
Run = tuple[str, dict[str, float]]  # a method and its figures
Figures = dict[str, dict[str, dict[str, float]]]  # method -> metric -> mean, std, seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--demo", type=Path, default=Path(), help="folder in which the demo was run; this one")
    data.add_argument("--motion", type=Path, help="folder of the real motion and the real cameras")
    parser.add_argument("--json", type=Path, help="file of the results; tables go to the .md of the same name")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[*demo.WAYS, *lifting.WAYS], metavar="NAME", help="these alone")
    parser.add_argument("--quick", action="store_true", help="two methods on motion, one seed, an eighth of the data")
    reported = parser.parse_args()
    logging.disable(logging.INFO)
    if reported.quick and reported.motion:
        runs = list(lifting.results(reported.motion, list(lifting.QUICK), range(1), quick=True))
        figures = {f"{name}: {key}": value for name, found in runs for key, value in found.items()}
        print("\n".join(f"{key} {value:.1f}" for key, value in figures.items()))
        if reported.json:
            reported.json.write_text(json.dumps(figures, indent=1) + "\n")
    elif reported.motion:
        names = reported.only or list(lifting.WAYS)
        compare(
            lifting.DATA, lifting.results(reported.motion, names, range(reported.seeds), quick=False), reported.json
        )
    else:
        names = reported.only or list(demo.WAYS)
        compare(demo.DATA, demo.results(reported.demo, names, range(reported.seeds), Path("bench_runs")), reported.json)


def compare(data: str, runs: Iterable[Run], path: Path | None) -> None:
    """Print the runs as they end, and keep the summary of those so far."""
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
    """Mean, standard deviation (0 of one run) and number of the runs, by method and metric."""
    return {name: {key: _spread([run[key] for run in runs]) for key in runs[0]} for name, runs in found.items()}


def _spread(values: list[float]) -> dict[str, float]:
    std = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return {"mean": round(float(np.mean(values)), 2), "std": round(float(std), 2), "seeds": len(values)}


if __name__ == "__main__":
    main()
