"""Inverse kinematics: from controls (root, spine, head, wrist and ankle targets) to joints and segment rotations.

Segment axes in the rest pose: x forward, y left, z up. Arrays over sides have the order left, right.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.skeleton import N_JOINTS, joint
from pipeline.synthetic.people.person import Build

SIDES = ("l_", "r_")
SIGNS = np.array([1.0, -1.0])  # sign of y: left, right
MAX_KNEE_FLEXION_RAD = np.deg2rad(150)
MAX_ELBOW_FLEXION_RAD = np.deg2rad(148)
MAX_REACH = 0.998  # largest distance from a limb's start to its end, as a share of the limb's length


@dataclass(frozen=True)
class Controls:
    """The inputs of the inverse kinematics for T frames; world frame (z up, floor at z = 0), mm and radians."""

    root_mm: np.ndarray  # (T, 3) pelvis joint
    pelvis: np.ndarray  # (T, 3, 3) rotation of the pelvis
    spine_rad: np.ndarray  # (T, 3) forward bend, side bend (to the left), twist (to the left)
    head_rad: np.ndarray  # (T, 3) pitch (down), roll, yaw (to the left)
    shrug_rad: np.ndarray  # (T, 2) elevation of the collar bones
    wrists: np.ndarray  # (T, 2, 3) targets relative to the shoulder, in arm lengths, in the heading frame
    elbow_out: np.ndarray  # (T, 2) swivel of the elbows; 0 is the natural position
    palm_rad: np.ndarray  # (T, 2) rotation of the hands about the forearms
    ankles_mm: np.ndarray  # (T, 2, 3)
    feet: np.ndarray  # (T, 2, 3, 3) rotations of the feet
    knee_out_rad: np.ndarray  # (T, 2)


@dataclass(frozen=True)
class BodyPoses:
    """A body in T frames."""

    joints_mm: np.ndarray  # (T, 17, 3) in the world
    pelvis: np.ndarray  # (T, 3, 3) rotation of the segment, as for waist, chest and head
    waist: np.ndarray
    chest: np.ndarray
    head: np.ndarray
    feet: np.ndarray  # (T, 2, 3, 3)
    palm_rad: np.ndarray  # (T, 2)

    def __len__(self) -> int:
        return len(self.joints_mm)

    def __getitem__(self, rows: slice | np.ndarray) -> "BodyPoses":
        return BodyPoses(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def rotation(axis: str, angle_rad: np.ndarray) -> np.ndarray:
    """Return rotations (..., 3, 3) about x, y or z; a positive angle about y bends forward.

    >>> np.round(rotate(rotation("z", np.pi / 2), np.array([1.0, 0, 0])))
    array([0., 1., 0.])
    """
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    angle = np.asarray(angle_rad, float)
    R = np.zeros((*angle.shape, 3, 3))
    R[..., :, :] = np.eye(3)
    R[..., i, i] = R[..., j, j] = np.cos(angle)
    R[..., j, i], R[..., i, j] = np.sin(angle), -np.sin(angle)
    return R


def rotate(R: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Rotate vectors (..., 3) by rotations (..., 3, 3)."""
    return np.asarray(np.einsum("...ij,...j->...i", R, v))


def unit(v: np.ndarray) -> np.ndarray:
    """Scale vectors (..., 3) to unit length; the zero vector stays zero."""
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9))


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of vectors (..., 3); five times as fast as `np.cross` for few vectors."""
    return np.asarray(a[..., [1, 2, 0]] * b[..., [2, 0, 1]] - a[..., [2, 0, 1]] * b[..., [1, 2, 0]])


def two_bones(
    start: np.ndarray, target: np.ndarray, lengths: tuple[float, float], pole: np.ndarray, max_flexion_rad: float
) -> tuple[np.ndarray, np.ndarray]:
    """Solve two-bone inverse kinematics: middle and end joint (..., 3) of a limb from `start`, bent towards `pole`.

    `lengths` holds both bone lengths in mm. If the target is out of reach, the end joint lies on the line to the
    target, as close to the target as the limits of the joint allow.
    """
    a, b = lengths
    nearest = np.sqrt(a * a + b * b + 2 * a * b * np.cos(max_flexion_rad))
    reach = np.linalg.norm(target - start, axis=-1, keepdims=True)
    along = (target - start) / np.maximum(reach, 1e-9)
    reach = np.clip(reach, nearest, MAX_REACH * (a + b))
    side = unit(pole - (pole * along).sum(-1, keepdims=True) * along)
    foot = (a * a - b * b + reach * reach) / (2 * reach)
    height = np.sqrt(np.maximum(a * a - foot * foot, 0))
    return start + foot * along + height * side, start + reach * along


def solve_pose(build: Build, controls: Controls) -> BodyPoses:
    """Compute the body poses for the given controls; bone lengths and joint limits are respected."""
    joints = np.empty((len(controls.root_mm), N_JOINTS, 3))
    waist, chest, head = _trunk(build, controls, joints)
    _arms(build, controls, chest, joints)
    _legs(build, controls, joints)
    return BodyPoses(joints, controls.pelvis, waist, chest, head, controls.feet, controls.palm_rad)


def _trunk(build: Build, c: Controls, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    waist = c.pelvis @ _bend(0.5 * c.spine_rad)
    chest = c.pelvis @ _bend(c.spine_rad)
    neck, head = chest @ _bend(0.45 * c.head_rad), chest @ _bend(c.head_rad)
    up = np.array([0.0, 0.0, 1.0])
    at = c.root_mm
    joints[:, joint("pelvis")] = at
    # The lumbar spine bends below the joint `spine`: the segment up to that joint takes half of the bend.
    chain = (
        ("spine", 0.5 * (c.pelvis + waist), up, build.pelvis_spine),
        ("thorax", chest, up, build.spine_thorax),
        ("neck", neck, np.array([0.22, 0.0, 1.0]), build.thorax_neck),
        ("head", head, up, build.neck_head),
    )
    for name, R, direction, length in chain:
        at = at + length * unit(rotate(R, direction))
        joints[:, joint(name)] = at
    return waist, chest, head


def _bend(angles_rad: np.ndarray) -> np.ndarray:
    pitch, side, twist = np.moveaxis(angles_rad, -1, 0)
    return np.asarray(rotation("z", twist) @ rotation("x", -side) @ rotation("y", pitch))


def heading(pelvis: np.ndarray, chest: np.ndarray) -> np.ndarray:
    """Upright frame (T, 3, 3) with the heading of the trunk."""
    # From the left directions of pelvis and chest, which stay level when the trunk is bent forward.
    left = pelvis[..., :, 1] + chest[..., :, 1]
    left = unit(left * [1, 1, 0])
    up = np.broadcast_to([0.0, 0.0, 1.0], left.shape)
    return np.stack([cross(left, up), left, up], -1)


def _arms(build: Build, c: Controls, chest: np.ndarray, joints: np.ndarray) -> None:
    upright = heading(c.pelvis, chest)
    for side, (prefix, sign) in enumerate(zip(SIDES, SIGNS, strict=True)):
        collar = np.array([0.0, sign * build.shoulder_out, -build.shoulder_down])
        shoulder = joints[:, joint("thorax")] + rotate(chest @ rotation("x", sign * c.shrug_rad[:, side]), collar)
        target = rotate(upright, c.wrists[:, side] * [1, sign, 1])
        target = _limit_wrist(chest, target, sign)
        hint = _elbow_hint(unit(target), upright, sign, c.elbow_out[:, side])
        target = shoulder + build.arm * target
        elbow, wrist = two_bones(shoulder, target, (build.upper_arm, build.forearm), hint, MAX_ELBOW_FLEXION_RAD)
        joints[:, joint(prefix + "shoulder")] = shoulder
        joints[:, joint(prefix + "elbow")], joints[:, joint(prefix + "wrist")] = elbow, wrist


def _limit_wrist(chest: np.ndarray, target: np.ndarray, sign: float) -> np.ndarray:
    """Limit the wrist target to what a shoulder allows: not far behind the back, not through the trunk."""
    local = np.einsum("...ji,...j->...i", chest, target)
    local[..., 0] = np.maximum(local[..., 0], -0.42)
    across = np.clip(-sign * local[..., 1], 0, 1)  # how far the hand is beyond the middle of the body
    local[..., 0] = np.maximum(local[..., 0], np.minimum(0.55, 2.2 * across))
    return rotate(chest, local)


def _elbow_hint(direction: np.ndarray, upright: np.ndarray, sign: float, out: np.ndarray) -> np.ndarray:
    """Direction in which the elbow bends: back and down for low targets, out and forward for high ones."""
    rise = rotate(np.swapaxes(upright, -1, -2), direction)[..., 2]
    hint = np.stack([0.65 * rise - 0.1, sign * (0.35 + 0.15 * rise**2 + out), 0.7 * rise**2 - 0.95], -1)
    return rotate(upright, hint)


def _legs(build: Build, c: Controls, joints: np.ndarray) -> None:
    for side, (prefix, sign) in enumerate(zip(SIDES, SIGNS, strict=True)):
        hip = c.root_mm + rotate(c.pelvis, np.array([0.0, sign * build.hip, 0.0]))
        out = c.knee_out_rad[:, side] * sign
        foot_forward, pelvis_forward = c.feet[:, side, :, 0], rotate(c.pelvis @ rotation("z", out), np.eye(3)[0])
        pole = unit(foot_forward * [1, 1, 0]) + unit(pelvis_forward) + np.array([0, 0, 0.3])
        knee, ankle = two_bones(hip, c.ankles_mm[:, side], (build.thigh, build.shank), pole, MAX_KNEE_FLEXION_RAD)
        joints[:, joint(prefix + "hip")], joints[:, joint(prefix + "knee")] = hip, knee
        joints[:, joint(prefix + "ankle")] = ankle
