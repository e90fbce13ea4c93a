"""Parameters of the stage `report`."""

from pipeline.params.base import Count, Section


class ReportParams(Section):
    """The report."""

    examples: Count
