"""The pinhole projection that compiled kernels share, inlined into each."""

from pipeline.compiled import inlined


@inlined
def project_point(
    r00: float, r01: float, r02: float, r10: float, r11: float, r12: float, r20: float, r21: float, r22: float,
    t0: float, t1: float, t2: float, x: float, y: float, z: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Normalised image point (u, v) and depth of a world point (x, y, z) in a camera R, t, given entry by entry.

    Entries are scalars, so that those which a loop does not change stay in registers.
    """
    depth = r20 * x + r21 * y + r22 * z + t2
    return (r00 * x + r01 * y + r02 * z + t0) / depth, (r10 * x + r11 * y + r12 * z + t1) / depth, depth
