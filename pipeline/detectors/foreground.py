"""Background subtraction: the box of the person in front of a static camera."""

from collections.abc import Sequence

import cv2
import numpy as np

BACKGROUND_FRAMES = 60  # number of frames, sampled from all clips of a camera, whose median is the background
MIN_FRAMES = 5
MIN_MOVING_SHARE = 0.2  # least share of those frames that must differ from their median
SEARCH_PX = 320  # longer side of the images in which the person is searched
MIN_DIFFERENCE = 14  # least difference (grey levels, 0-255) of a person from the background in images with little noise
SHADOW = (0.6, 1.0)  # range of the brightness of a shadow divided by the brightness of the background
SHADOW_TINT = 0.06  # largest spread of that ratio over the colours
MIN_PERSON_SHARE = 0.002  # of the image's area


def background_image(clips: Sequence[Sequence[np.ndarray]]) -> np.ndarray | None:
    """The median image (H, W, 3) of frames sampled from all clips of one camera.

    None if there are too few frames, or if nothing moves: the median would then show the person.
    """
    frames = sample_frames(clips, BACKGROUND_FRAMES)
    if len(frames) < MIN_FRAMES:
        return None
    background: np.ndarray = np.median(np.stack(frames), axis=0).astype(np.uint8)
    reference = smoothed(background)
    found = [foreground_box(frame, reference) is not None for frame in frames]
    return background if np.mean(found) > MIN_MOVING_SHARE else None


def sample_frames(clips: Sequence[Sequence[np.ndarray]], n: int) -> list[np.ndarray]:
    """About n frames, evenly spaced over all clips."""
    total = sum(len(clip) for clip in clips)
    wanted = np.unique(np.linspace(0, max(total - 1, 0), min(n, total)).round().astype(int))
    frames: list[np.ndarray] = []
    start = 0
    for clip in clips:
        frames += [clip[int(i) - start] for i in wanted if start <= i < start + len(clip)]
        start += len(clip)
    return frames


def smoothed(image: np.ndarray) -> np.ndarray:
    """An image (H, W, 3) shrunk to the size in which the person is searched, and blurred against pixel noise."""
    scale = _search_scale(image)
    small = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (3, 3), 0)


def foreground_box(image: np.ndarray, smoothed_background: np.ndarray) -> np.ndarray | None:
    """The box (4,) of the largest region of an image that differs from the background, in pixels; None if none does.

    Shadows (darker, of the same tint) do not count.
    """
    mask = _foreground(smoothed(image), smoothed_background)
    # Clothing that looks like the wall behind it splits a person into regions; dilation joins those close together.
    joined = cv2.dilate(mask, np.ones((9, 9), np.uint8))
    n, labels = cv2.connectedComponents(joined)
    if n < 2:
        return None
    labels[mask == 0] = 0
    areas = np.bincount(labels.ravel(), minlength=n)
    areas[0] = 0
    largest = int(areas.argmax())
    if areas[largest] < MIN_PERSON_SHARE * mask.size:
        return None
    x, y, width, height = cv2.boundingRect((labels == largest).astype(np.uint8))
    # From pixel edges of the search image to pixel centres of the image.
    return np.array([x, y, x + width, y + height]) / _search_scale(image) - 0.5


def _search_scale(image: np.ndarray) -> float:
    height, width = image.shape[:2]
    return min(1.0, SEARCH_PX / float(max(height, width)))


def _foreground(image: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Mask (h, w) uint8 of the pixels that differ from the background by more than noise and shadow."""
    red, green, blue = cv2.split(cv2.absdiff(image, background))
    difference = cv2.max(cv2.max(red, green), blue)
    # Most pixels show the background, so the median difference measures the noise.
    noise = int(np.searchsorted(np.bincount(difference.ravel()).cumsum(), difference.size / 2))
    mask = (difference > max(MIN_DIFFERENCE, 5 * noise)).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return mask
    inside = np.s_[y : y + height, x : x + width]
    mask[inside] &= ~_shadow(image[inside], background[inside])
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))


def _shadow(image: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Mask (h, w) of the pixels that are darker than the background by the same factor in all colours."""
    ratio = [
        (a + np.float32(8)) / (b + np.float32(8)) for a, b in zip(cv2.split(image), cv2.split(background), strict=True)
    ]
    # Plane by plane, as numpy is slow at reducing a last dimension of three.
    brightest, darkest = (best(best(ratio[0], ratio[1]), ratio[2]) for best in (np.maximum, np.minimum))
    brightness = (ratio[0] + ratio[1] + ratio[2]) / 3
    is_shadow: np.ndarray = (brightest - darkest < SHADOW_TINT) & (brightness > SHADOW[0]) & (brightness < SHADOW[1])
    return is_shadow
