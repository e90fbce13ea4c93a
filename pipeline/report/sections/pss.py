"""The section on the pose structure score: the paper's figures, drawn from this run's poses."""

import numpy as np

from pipeline import metrics
from pipeline.pss import Reference, clusters, normalised, pose_map
from pipeline.report.data.breakdown import predicted_test, reference_name
from pipeline.report.data.evaluate import Figures
from pipeline.report.data.parts import PARTS
from pipeline.report.data.report_data import ReportData, ViewData, joined
from pipeline.report.page.blocks import Block, Card, Chart, Gallery, Rows, Section, Table, number, percent
from pipeline.report.page.charts import coloured_map
from pipeline.report.page.scenes import pose_scene
from pipeline.report.sections.network import AGAINST
from pipeline.report.sections.tables import scores

MAP_POSES, MAP_GROUPS = 800, 10
CENTERS_SHOWN = 50
DRAWN_NORM_MM = 2000.0  # centres have norm 1; the root-centred joints of a standing adult have about this norm
PAIR_PERCENTILES = (35, 60, 85)  # of the errors of the poses that fall in another cluster
EQUAL_MM = 1.0  # errors that differ by less count as equal


def pss_section(data: ReportData, figures: Figures) -> Section:
    """The share of predictions in the cluster of the true pose, and examples inside and outside at equal errors."""
    views = predicted_test(data)
    against = reference_name(views[0]) if views else "true_cam_mm"
    poses, target = joined(views, "predicted_cam_mm"), joined(views, against)
    references = sorted(data.references, key=lambda one: one.k)
    blocks: list[Block] = []
    if references and len(poses):
        blocks += _equal_pairs(poses, target, references[0], views)
    blocks += [*_map(data), *_score_table(figures)]
    if references:
        shown = min(references, key=lambda one: abs(one.k - CENTERS_SHOWN))
        blocks += [_gallery(shown, poses, target), _reference_table(references)]
    lead = (
        "The pose structure score (PSS) is the share of poses that fall in the same cluster of poses as the true pose."
        " It shows errors that a mean over joints hides: an arm on the wrong side adds only a few millimetres."
    )
    if views:
        lead += f" Predictions are compared with {AGAINST[against]}."
    return Section("pss", "Pose structure", lead, blocks)


def _map(data: ReportData) -> list[Block]:
    """A t-SNE of the training recordings' poses."""
    train = data.select("train")
    has_truth = any(view.has_truth for view in train)
    poses = joined(train, "true_cam_mm" if has_truth else "label_cam_mm")
    captions = [view.at(i) for view in train for i in range(view.recording.n_frames)]
    complete = np.flatnonzero(np.isfinite(normalised(poses)).all((1, 2)))
    chosen = complete[np.linspace(0, len(complete) - 1, min(MAP_POSES, len(complete))).astype(int)]
    if len(chosen) < 2 * MAP_GROUPS:
        return []
    points, groups = pose_map(poses[chosen], MAP_GROUPS, seed=0)
    title = f"Map of the training poses (t-SNE of {'the truth' if has_truth else 'the labels'})"
    note = (
        f"{len(chosen):,} poses in {MAP_GROUPS} clusters, in the frames of their cameras. Near points are similar"
        " poses; larger distances have no meaning."
    )
    return [Chart(title, coloured_map(points, groups, [captions[i] for i in chosen]), note)]


def _score_table(figures: Figures) -> list[Block]:
    """The scores of all parts, at every k."""
    titles = scores(figures, list(PARTS))
    rows = [
        (part.title, *(number(figures[name].get(key)) for key in titles))
        for name, part in PARTS.items()
        if any(key in figures.get(name, {}) for key in titles)
    ]
    note = "Means over poses, in percent. More clusters make a stricter score."
    return [Table("Scores", ("", *titles.values()), rows, note)] if rows else []


def _gallery(reference: Reference, poses: np.ndarray, target: np.ndarray) -> Gallery:
    """The cluster centres, ordered by their share of the test poses, and the share of correct predictions in each."""
    expected, found = clusters(reference, target), clusters(reference, poses)
    counted = (expected >= 0) & (found >= 0)
    n = np.bincount(expected[counted], minlength=reference.k)
    hits = np.bincount(expected[counted & (expected == found)], minlength=reference.k)
    cards = []
    for k in np.argsort(-n, kind="stable")[:CENTERS_SHOWN]:
        caption = f"{percent(100 * n[k] / n.sum())} %, {100 * hits[k] / n[k]:.0f} % hit" if n[k] else "not tested"
        caption = caption if n.any() else f"cluster {k + 1}"
        cards.append(Card(caption, scene=pose_scene({"truth": DRAWN_NORM_MM * reference.centers[k]})))
    note = "Share of the test poses in each cluster, and how many of those the network puts in the same cluster."
    return Gallery(f"Cluster centres, k = {reference.k}", cards, note if n.any() else "", small=True)


def _equal_pairs(poses: np.ndarray, target: np.ndarray, reference: Reference, views: list[ViewData]) -> list[Block]:
    """Pairs of predictions with the same N-MPJPE, one in the right cluster and one in another."""
    errors = metrics.n_mpjpe(poses, target)
    expected, found = clusters(reference, target), clusters(reference, poses)
    counted = np.isfinite(errors) & (expected >= 0) & (found >= 0)
    right, wrong = (np.flatnonzero(counted & ((expected == found) == same)) for same in (True, False))
    if not len(right) or not len(wrong):
        return []
    captions = [view.at(i) for view in views for i in range(view.recording.n_frames)]
    rows = []
    for percentile in PAIR_PERCENTILES:
        wanted = np.percentile(errors[wrong], percentile)
        miss = wrong[np.argmin(np.abs(errors[wrong] - wanted))]
        hit = right[np.argmin(np.abs(errors[right] - errors[miss]))]
        if abs(errors[hit] - errors[miss]) < EQUAL_MM:
            rows.append([_pair_card(captions[i], errors[i], poses[i], target[i]) for i in (hit, miss)])
    head = (f"same cluster (PSS@{reference.k} = 1)", f"another cluster (PSS@{reference.k} = 0)")
    return [Rows("Equal errors, different structures", head, rows)] if rows else []


def _pair_card(caption: str, error_mm: float, pose: np.ndarray, target: np.ndarray) -> Card:
    scene = pose_scene({"truth": target, "prediction": pose})
    return Card(f"{number(float(error_mm))} mm: {caption}", scene=scene)


def _reference_table(references: list[Reference]) -> Table:
    keys = {"source": "poses from", "n_poses": "poses", "seed": "seed", "inertia": "inertia", "sha256": "hash"}
    rows = [(str(one.k), *(str(one.metadata.get(key, "–"))[:12] for key in keys)) for one in references]
    note = "Scores of different runs are comparable only if the hash of the reference is the same."
    return Table("References", ("k", *keys.values()), rows, note)
