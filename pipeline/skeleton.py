"""The project's joints: the 17 joints of Human3.6M, their bones, sides and subsets.

Every array of joints in the project has these 17 in this order; readers and detectors convert to them.
"""

import numpy as np

JOINTS = (
    "pelvis", "r_hip", "r_knee", "r_ankle", "l_hip", "l_knee", "l_ankle", "spine", "thorax", "neck", "head",
    "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist",
)  # fmt: skip
N_JOINTS = len(JOINTS)
ROOT = 0  # pelvis

# Parent of each joint; the root is its own parent.
PARENTS = np.array([0, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15])
# (parent, child) of each of the 16 bones.
BONES = np.array([(PARENTS[j], j) for j in range(1, N_JOINTS)])


def _mirror(name: str) -> str:
    return {"l_": "r_", "r_": "l_"}.get(name[:2], name[:2]) + name[2:]


# JOINTS[MIRROR[j]] is joint j on the other side of the body.
MIRROR = np.array([JOINTS.index(_mirror(name)) for name in JOINTS])

# The twelve limb joints, which all detectors define in the same way.
LIMB_JOINTS = np.array([j for j, name in enumerate(JOINTS) if name[:2] in ("l_", "r_")])

# The left ones of the limb joints; MIRROR gives the right ones.
LEFT_JOINTS = np.array([j for j, name in enumerate(JOINTS) if name[:2] == "l_"])


def joint(name: str) -> int:
    """Index of a joint by name.

    >>> joint("r_knee"), JOINTS[MIRROR[joint("r_knee")]]
    (2, 'l_knee')
    """
    return JOINTS.index(name)
