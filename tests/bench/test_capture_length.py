"""The bench's long captures are labelled, and its table and figures are those of what was measured."""

import json

import numpy as np

from bench import capture_length
from pipeline.skeleton import N_JOINTS
from pipeline.stores import LABELS, open_store


def test_capture_on_disk_is_calibrated_and_labelled(tmp_path, monkeypatch):
    monkeypatch.setenv("EPILINE_WORKERS", "0")
    capture_length.write_recording(60, tmp_path / "capture")
    assert min(capture_length.label_recording(tmp_path / "capture")) > 0
    joints = open_store(tmp_path / "capture/labels.zarr", LABELS)["S1_walk"].person(0)["joints_world_mm"]
    assert joints.shape == (60, N_JOINTS, 3)
    assert np.isfinite(joints).mean() > 0.9


def test_figures_are_those_of_the_longest_capture(tmp_path, monkeypatch, capsys):
    def measured(n, folder):
        return {"calibrate_cpu_s": 1.0, "triangulate_cpu_s": n / 5000, "peak_mib": n / 10}

    monkeypatch.setattr(capture_length, "_in_own_process", measured)
    capture_length.main([1000, 20_000], None, tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures == {"labels_frames_per_cpu_s": 5000.0, "labels_peak_mib": 2000.0}
    assert "20,000" in capsys.readouterr().out
