"""Views that some recordings of a rig have and others lack."""

from pipeline.capture import Recording, View
from pipeline.datasets.common_views import use_common_views
from tests.formats import cameras as files


def recording(name, cameras, rig="shared"):
    views = [View.of(camera, f"{name}/{camera}.mp4", files.rig(1)["cam_0"]) for camera in cameras]
    return Recording(name=name, subject=name, action="", split="train", rig=rig, fps=25, n_frames=5, views=views)


def names(recordings):
    return ["".join(view.name for view in one.views) for one in recordings]


def test_a_view_that_few_recordings_have_is_left_out():
    recordings = [recording(f"S{i}", "abc" if i == 2 else "ab") for i in range(5)]
    missing, [alert] = use_common_views(recordings)
    assert missing == []
    assert names(recordings) == ["ab"] * 5
    assert (alert.kind, alert.severity, alert.subject) == ("further_views", "warning", "S2, c")


def test_a_recording_that_lacks_a_view_of_the_others_is_named():
    recordings = [recording("S1", "abc"), recording("S2", "ab"), recording("S3", "abc")]
    [(name, error)], alerts = use_common_views(recordings)
    assert (name, alerts) == ("S2", [])
    assert "No video of camera c, which other recordings have (S2)" in str(error)


def test_other_rigs_are_others():
    recordings = [recording("S1", "abc", "S1"), recording("S2", "ab", "S2")]
    assert use_common_views(recordings) == ([], [])
    assert names(recordings) == ["abc", "ab"]
