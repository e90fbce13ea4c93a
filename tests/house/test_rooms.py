"""The rules of the house about who may import whom."""

import pytest

from tests.house.imports import MODULES, SOURCE

# What each room may import of the project, besides itself and what stands in EVERYWHERE.
EVERYWHERE = {
    "pipeline",
    "pipeline.alerts",
    "pipeline.errors",
    "pipeline.skeleton",
    "pipeline.progress",
    "pipeline.params",
    "pipeline.cores",
    "pipeline.compiled",
    "pipeline.shapes",
}
FILES = {"pipeline.capture", "pipeline.capture_paths", "pipeline.stores", "pipeline.video", "pipeline.files"}
MAY_IMPORT = {
    "pipeline.alerts": set(),
    "pipeline.errors": set(),
    "pipeline.skeleton": set(),
    "pipeline.progress": set(),
    "pipeline.cores": set(),
    "pipeline.params": {"pipeline.files"},
    "pipeline.compiled": {"pipeline.code"},
    "pipeline.shapes": set(),
    "pipeline.files": set(),
    "pipeline.stage": {"pipeline.files", "pipeline.memory"},
    "pipeline.memory": set(),
    "pipeline.code": {"pipeline.files"},
    "pipeline.geometry": set(),
    "pipeline.capture": {"pipeline.geometry"},
    "pipeline.capture_paths": set(),
    "pipeline.stores": {"pipeline.files", "pipeline.geometry"},
    "pipeline.video": {"pipeline.capture", "pipeline.stores", "pipeline.files", "pipeline.geometry"},
    "pipeline.metrics": {"pipeline.geometry"},
    "pipeline.synthetic": {"pipeline.geometry"},
    "pipeline.datasets": {"pipeline.formats", "pipeline.geometry", "pipeline.synthetic"} | FILES,
    "pipeline.detectors": {"pipeline.learning", "pipeline.geometry"},
    "pipeline.labels": {"pipeline.geometry", "pipeline.detectors", "pipeline.formats"} | FILES,
    "pipeline.formats": {"pipeline.geometry"} | FILES,
    "pipeline.truth": {"pipeline.capture", "pipeline.stores", "pipeline.geometry"},
    "pipeline.pss": FILES | {"pipeline.geometry", "pipeline.truth"},
    "pipeline.learning": {"pipeline.code", "pipeline.metrics", "pipeline.geometry", "pipeline.truth"} | FILES,
    "pipeline.report": {
        "pipeline.learning", "pipeline.pss", "pipeline.metrics", "pipeline.geometry", "pipeline.truth",
    } | FILES,
}  # fmt: skip
MAY_IMPORT["pipeline.cli"] = set(MAY_IMPORT)  # everything; no rule above names it, so nothing imports it

# Each heavy library has one door.
DOORS = {
    "zarr": {"pipeline.stores"},
    "dask": {"pipeline.labels"},
    "distributed": {"pipeline.labels"},
    "torch": {"pipeline.learning", "pipeline.detectors"},
    "sklearn": {"pipeline.pss"},
    "plotly": {"pipeline.report"},
    "vl_convert": {"pipeline.report"},
    "jinja2": {"pipeline.report"},
    "mediapipe": {"pipeline.detectors"},
    "poselib": {"pipeline.geometry"},
    "h5py": {"pipeline.formats"},
    "ezc3d": {"pipeline.formats"},
}


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("pipeline.")])
def test_imports_only_what_its_room_may(module):
    allowed = MAY_IMPORT[room(module)] | {room(module)}
    if room(module) not in ("pipeline.errors", "pipeline.skeleton"):
        allowed |= (
            EVERYWHERE
            if room(module) != "pipeline.geometry"
            else {"pipeline.errors", "pipeline.skeleton", "pipeline.compiled", "pipeline.shapes"}
        )
    wrong = {name for name in SOURCE.project_imports(module) - {"pipeline"} if room(name) not in allowed}
    assert not wrong, f"{module} may not import {sorted(wrong)}: move the line to a room that may."


def test_every_room_has_its_rule():
    assert {room(name) for name in MODULES if name.startswith("pipeline.")} == set(MAY_IMPORT)


@pytest.mark.parametrize("module", MODULES)
def test_each_heavy_library_has_one_door(module):
    for library, doors in DOORS.items():
        uses = any(name.split(".")[0] == library for name in SOURCE.imports(module))
        assert not uses or room(module) in doors, f"{module} imports {library}: only {sorted(doors)} may."


def test_nothing_imports_the_stages():
    wrong = [
        name for name in MODULES if name.startswith("pipeline") and any("stages" in i for i in SOURCE.imports(name))
    ]
    assert not wrong


def test_no_import_cycles():
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, "Import cycle: " + " -> ".join([*above[above.index(module) :], module])
        if module in done:
            return
        # A package's own __init__ is imported with each of its modules; that is no cycle of its own.
        for name in SOURCE.project_imports(module):
            if not module.startswith(f"{name}.") and name != module:
                visit(name, (*above, module))
        done.add(module)

    for module in MODULES:
        visit(module, ())
