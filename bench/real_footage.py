"""Compare the labels and rigs of two runs on the same footage, for example with self-calibrated and given extrinsics.

Prepare footage with a calibration file with reliable extrinsics, run the stages up to triangulate once with
calibrate.mode=rig and once with calibrate.mode=known, keep both data folders, and compare them:

    python -m bench.real_footage data data_known
"""

import argparse
from pathlib import Path

import numpy as np

from pipeline.geometry.align import align, rig_error
from pipeline.skeleton import LIMB_JOINTS
from pipeline.stores import LABELS, RIGS, LabelRecord, RecordingGroup, open_store


def main(data: Path, reference: Path) -> None:
    """Print the differences of rigs and labels of each recording."""
    for recording in open_store(data / "labels.zarr", LABELS):
        labels, given = (
            open_store(folder / "labels.zarr", LABELS)[recording].person(0) for folder in (data, reference)
        )
        print(recording)
        print(f"  rig: {rig_difference(data, reference, recording)}")
        print(f"  limb joints, aligned frame by frame: {label_difference(labels, given, by_frame=True)}")
        print(f"  limb joints, aligned as a sequence:  {label_difference(labels, given, by_frame=False)}")
        for name, group in (("compared", labels), ("reference", given)):
            raw, used = (
                np.nanmedian(group[array][:, :, LIMB_JOINTS]) for array in ("reprojection_px", "reprojection_used_px")
            )
            print(f"  {name}: median reprojection error {raw:.1f} px of raw detections, {used:.1f} px of those used")


def label_difference(labels: RecordingGroup[LabelRecord], given: RecordingGroup[LabelRecord], *, by_frame: bool) -> str:
    a, b = (group["joints_world_mm"][:, LIMB_JOINTS] for group in (labels, given))
    moved = align(a, b) if by_frame else align(a.reshape(-1, 3), b.reshape(-1, 3)).reshape(a.shape)
    frames = np.nanmean(np.linalg.norm(moved - b, axis=-1), axis=1)
    share = 100 * np.isfinite(frames).mean()
    middle, high = np.nanmedian(frames), np.nanpercentile(frames, 90)
    return f"{middle:.1f} mm (median frame), {high:.1f} (90th percentile), in {share:.0f} % of frames"


def rig_difference(data: Path, reference: Path, recording: str) -> str:
    poses = [open_store(folder / "rigs.zarr", RIGS)[recording] for folder in (data, reference)]
    R_a, R_b = (rig["R_cam_from_world"][0] for rig in poses)
    a, b = (
        -np.einsum("vji,vj->vi", R, rig["t_cam_from_world_mm"][0]) for R, rig in zip((R_a, R_b), poses, strict=True)
    )
    rotation_deg, center_mm = rig_error(R_a, a, R_b, b)
    return f"{rotation_deg:.2f} deg, {center_mm:.0f} mm"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the data folder of the run to compare")
    parser.add_argument("reference", type=Path, help="the data folder of the run to compare it with")
    arguments = parser.parse_args()
    main(arguments.data, arguments.reference)
