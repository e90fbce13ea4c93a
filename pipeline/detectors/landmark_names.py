"""The names of the landmarks that detectors mark, in the order of their arrays."""

from pipeline.skeleton import JOINTS

# By the detector's name; the landmarks of other detectors are numbered.
LANDMARKS = {
    "mediapipe": (
        "nose", "left inner eye", "left eye", "left outer eye", "right inner eye", "right eye", "right outer eye",
        "left ear", "right ear", "left mouth", "right mouth", "left shoulder", "right shoulder", "left elbow",
        "right elbow", "left wrist", "right wrist", "left pinky", "right pinky", "left index", "right index",
        "left thumb", "right thumb", "left hip", "right hip", "left knee", "right knee", "left ankle", "right ankle",
        "left heel", "right heel", "left toes", "right toes",
    ),
}  # fmt: skip


def landmark_names(detector: str, n_landmarks: int) -> list[str]:
    """The names of a detector's landmarks; the joints' names if it marks joints alone.

    >>> landmark_names("mediapipe", 33)[29], landmark_names("another", 2), landmark_names("another", 0)[0]
    ('left heel', ['landmark 1', 'landmark 2'], 'pelvis')
    """
    if not n_landmarks:
        return list(JOINTS)
    names = LANDMARKS.get(detector, ())
    return list(names) if len(names) == n_landmarks else [f"landmark {i + 1}" for i in range(n_landmarks)]
