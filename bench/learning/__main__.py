"""Compare the ways of teaching on the same data: mean and spread over seeds.

    python -m bench.learning --motion FOLDER [--json docs/results.json] [--seeds 3] [--only NAME ...] [--quick]

FOLDER holds `cmu/motion.npz` and `camera_rigs.npz`, see docs/results.md. The file gets {data: {method: {metric: {mean,
std, seeds}}}}; what it held of other data and methods stays, and docs/results.md beside it gets the table.
"""

import argparse
import json
import logging
from pathlib import Path

import numpy as np

from bench.learning import lifting
from bench.learning.tables import write_tables

Figures = dict[str, dict[str, dict[str, float]]]  # method -> metric -> mean, std, seeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motion", type=Path, required=True, help="folder of the real motion and the real cameras")
    parser.add_argument("--json", type=Path, help="file of the results; tables go to the .md of the same name")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(lifting.WAYS), help="these methods alone")
    parser.add_argument("--quick", action="store_true", help="two methods, one seed, an eighth of the data")
    told = parser.parse_args()
    logging.disable(logging.INFO)
    names = list(lifting.QUICK) if told.quick else told.only or list(lifting.WAYS)
    runs: dict[str, list[dict[str, float]]] = {}
    seeds = range(1 if told.quick else told.seeds)
    for name, figures in lifting.results(told.motion, names, seeds, quick=told.quick):
        runs.setdefault(name, []).append(figures)
        print(f"{name}: " + ", ".join(f"{key} {value:.1f}" for key, value in figures.items()), flush=True)
        if told.json and not told.quick:
            _keep(told.json, lifting.DATA, summary(runs))
    if told.json and told.quick:
        told.json.write_text(json.dumps({f"{name}: {k}": v for name, (f, *_) in runs.items() for k, v in f.items()}))


def summary(runs: dict[str, list[dict[str, float]]]) -> Figures:
    """Mean, standard deviation (NaN-free: 0 for one) and number of the runs, by method and metric."""
    return {
        name: {
            key: {
                "mean": round(float(np.mean([f[key] for f in found])), 2),
                "std": round(float(np.std([f[key] for f in found], ddof=len(found) > 1)), 2),
                "seeds": len(found),
            }
            for key in found[0]
        }
        for name, found in runs.items()
    }


def _keep(path: Path, data: str, figures: Figures) -> None:
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept.setdefault(data, {}).update(figures)
    path.write_text(json.dumps(kept, indent=1) + "\n")
    write_tables(path.with_suffix(".md"), kept)


if __name__ == "__main__":
    main()
