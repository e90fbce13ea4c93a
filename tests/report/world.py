"""A synthetic capture with what the report makes of it."""

from pathlib import Path

from pipeline.params.pss import PssParams
from pipeline.pss import fit_references
from pipeline.report.data.evaluate import Figures, evaluate
from pipeline.report.data.files import Files
from pipeline.report.data.measurements import measure_capture
from pipeline.report.data.report_data import Alternatives, ReportData, gather
from pipeline.stores import RIGS, open_store
from tests.report import synthetic_capture as synthetic


def files_of(root: Path) -> Files:
    return Files(root / "data", root / "models", root / "reports")


def make(root: Path, *, labels=(), rigs=(), predictions=True, **lacking) -> tuple[Figures, ReportData]:
    """The figures and the data of a synthetic capture without baseline and refined predictions."""
    world = synthetic.make_capture(root, **lacking)
    synthetic.write_poses2d(world)
    synthetic.write_rigs(world, **dict(rigs))
    synthetic.write_labels(world, **dict(labels))
    if predictions:
        synthetic.write_predictions(world)
    files = files_of(root)
    params = PssParams(reference="fit", frozen="", k=[3, 5], source="truth", seed=4)
    fit_references(files.frames, files.labels, files.pss, params)
    data = gather(files)
    table = measure_capture(data, Alternatives())
    return evaluate(data, Alternatives(), open_store(files.rigs, RIGS), table), data
