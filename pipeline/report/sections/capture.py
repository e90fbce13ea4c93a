"""The section on the footage."""

from pipeline.report.data.report_data import ReportData
from pipeline.report.page.blocks import Block, Card, Gallery, Section, Table, number
from pipeline.report.page.images import THUMB_PX, data_uri, shrunk

MAX_RECORDINGS_SHOWN = 8


def capture_section(data: ReportData) -> Section:
    """The recordings, their people and cameras, and the recordings that could not be used."""
    recordings = data.capture.recordings
    rows = [
        (
            r.name, r.subject, r.action, r.split, str(len(r.view_indices(for_labels=True))),
            str(len(r.views) - len(r.view_indices(for_labels=True))), str(r.n_frames), number(r.fps),
            number(r.n_frames / r.fps),
        )
        for r in recordings
    ]  # fmt: skip
    head = ("recording", "subject", "action", "split", "views", "evaluation views", "frames a view", "frames/s", "s")
    blocks: list[Block] = [Gallery("Views", _contact_sheet(data), small=True)]
    blocks.append(Table("Recordings", head, rows))
    if data.capture.rejected:
        rejected = [(one.recording, one.reason) for one in data.capture.rejected]
        blocks.append(Table("Rejected", ("recording", "reason"), rejected, words=True))
    n_images = sum(r.n_frames * len(r.views) for r in recordings)
    n_people = len({r.subject for r in recordings})
    source = data.capture.source
    lead = f"Recordings: {len(recordings)}, people: {n_people}, images: {n_images:,}. Source: “{source}”."
    return Section("capture", "Capture", lead, blocks)


def _contact_sheet(data: ReportData) -> list[Card]:
    """The middle frame of every view of the first recording, and of one view of each of the next recordings."""
    first = data.capture.recordings[0].name
    others = [v for v in data.views if v.recording.name != first and v.index == 0][: MAX_RECORDINGS_SHOWN - 1]
    cards = []
    for view in [*data.of_recording(first), *others]:
        caption = f"{view.recording.name}, {view.name}" + (" (evaluation)" if view.evaluation_only else "")
        cards.append(Card(caption, data_uri(shrunk(view.images[view.recording.n_frames // 2], THUMB_PX))))
    return cards
