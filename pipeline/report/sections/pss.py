"""The section on the pose structure score: the figures of its paper, from this run's poses."""

import numpy as np

from pipeline import metrics
from pipeline.pss import Reference, clusters, normalised, pose_map
from pipeline.report.data.breakdown import reference_name
from pipeline.report.data.evaluate import Figures
from pipeline.report.data.report_data import ReportData, ViewData, joined
from pipeline.report.page.blocks import Block, Card, Chart, Gallery, Rows, Section, Table, number, percent
from pipeline.report.page.charts import coloured_map
from pipeline.report.page.scenes import pose_scene
from pipeline.report.sections.network import AGAINST, predicted_test

MAP_POSES, MAP_GROUPS = 800, 10
CENTERS_SHOWN = 50
DRAWN_NORM_MM = 2000.0  # centres have norm 1; a standing adult's root-centred joints come to about this
PAIR_PERCENTILES = (35, 60, 85)  # of the errors of the poses that miss their cluster
EQUAL_MM = 1.0


def pss_section(report_data: ReportData, figures: Figures) -> Section:
    """Whether predictions have the structure of the truth, beyond how far their joints are off."""
    seen = predicted_test(report_data)
    against = reference_name(seen[0]) if seen else "true_cam_mm"
    predicted, true = joined(seen, "predicted_cam_mm"), joined(seen, against)
    references = sorted(report_data.references, key=lambda one: one.k)
    blocks: list[Block] = []
    if references and len(predicted):
        blocks += _equal_pairs(predicted, true, references[0], seen)
    blocks += [*_map(report_data), *_score_table(figures)]
    if references:
        shown = min(references, key=lambda one: abs(one.k - CENTERS_SHOWN))
        blocks += [_gallery(shown, predicted, true), _reference_table(references)]
    lead = (
        "PSS counts a pose as right if it falls into the same cluster of poses as it should. It sees what a mean error"
        " hides: an arm on the wrong side costs few millimetres."
    )
    if seen:
        lead += f" Predictions are held against {AGAINST[against]}."
    return Section("pss", "Structure", lead, blocks)


def _map(report_data: ReportData) -> list[Block]:
    """A t-SNE of the training recordings' poses."""
    train = [s for s in report_data.select("train") if not s.view.evaluation_only]
    name = "true_cam_mm" if any(s.has_truth for s in train) else "label_cam_mm"
    poses = joined(train, name)
    places = [f"{s.recording.name}, {s.view.name}, frame {i}" for s in train for i in range(s.recording.n_frames)]
    whole = np.flatnonzero(np.isfinite(normalised(poses)).all((1, 2)))
    chosen = whole[np.linspace(0, len(whole) - 1, min(MAP_POSES, len(whole))).astype(int)]
    if len(chosen) < 2 * MAP_GROUPS:
        return []
    at, groups = pose_map(poses[chosen], MAP_GROUPS, seed=0)
    title = f"Map of the training poses (t-SNE of {'the truth' if name == 'true_cam_mm' else 'the labels'})"
    note = f"{len(chosen):,} poses in {MAP_GROUPS} clusters, as their cameras see them; only nearness means anything."
    return [Chart(title, coloured_map(at, groups, [places[i] for i in chosen]), note)]


def _score_table(figures: Figures) -> list[Block]:
    """The score of everything that is measured, at every k."""
    titles = {
        "labels": "labels", "labels_known": "labels, true cameras", "test": "network, unseen people",
        "test_new_view": "network, unseen view", "test_labels": "network against labels",
    }  # fmt: skip
    keys = sorted({key for one in titles for key in figures.get(one, {}) if key[:3] == "pss"}, key=lambda k: int(k[3:]))
    rows = [
        (title, *(number(figures[name].get(key)) for key in keys))
        for name, title in titles.items()
        if any(key in figures.get(name, {}) for key in keys)
    ]
    note = "Means over poses, in percent. More clusters make a stricter score."
    return [Table("Scores", ("", *(f"PSS@{key[3:]}" for key in keys)), rows, note)] if rows else []


def _gallery(reference: Reference, predicted: np.ndarray, true: np.ndarray) -> Gallery:
    """The cluster centres, the most frequent among the tested poses first, and how often each is hit."""
    should, found = clusters(reference, true), clusters(reference, predicted)
    counted = (should >= 0) & (found >= 0)
    n = np.bincount(should[counted], minlength=reference.k)
    hits = np.bincount(should[counted & (should == found)], minlength=reference.k)
    cards = []
    for k in np.argsort(-n, kind="stable")[:CENTERS_SHOWN]:
        reported = f"{percent(100 * n[k] / n.sum())} %, {100 * hits[k] / n[k]:.0f} % hit" if n[k] else "not tested"
        reported = reported if n.any() else f"cluster {k + 1}"
        cards.append(Card(reported, scene=pose_scene({"truth": DRAWN_NORM_MM * reference.centers[k]})))
    note = "Share of the tested poses that belong to each, and how many of those the network puts there."
    return Gallery(f"Cluster centres, k = {reference.k}", cards, note if n.any() else "", small=True)


def _equal_pairs(predicted: np.ndarray, true: np.ndarray, reference: Reference, seen: list[ViewData]) -> list[Block]:
    """Pairs of predictions with the same N-MPJPE, of which one keeps the structure and the other does not."""
    errors = metrics.n_mpjpe(predicted, true)
    should, found = clusters(reference, true), clusters(reference, predicted)
    counted = np.isfinite(errors) & (should >= 0) & (found >= 0)
    right, wrong = (np.flatnonzero(counted & ((should == found) == same)) for same in (True, False))
    if not len(right) or not len(wrong):
        return []
    places = [f"{s.recording.name}, {s.view.name}, frame {i}" for s in seen for i in range(s.recording.n_frames)]
    rows = []
    for percentile in PAIR_PERCENTILES:
        target = np.percentile(errors[wrong], percentile)
        miss = wrong[np.argmin(np.abs(errors[wrong] - target))]
        hit = right[np.argmin(np.abs(errors[right] - errors[miss]))]
        if abs(errors[hit] - errors[miss]) < EQUAL_MM:
            rows.append([_pair_card(places[i], errors[i], predicted[i], true[i]) for i in (hit, miss)])
    head = (f"same cluster (PSS@{reference.k} 1)", "another cluster (PSS 0)")
    return [Rows("Equal errors, other structures", head, rows)] if rows else []


def _pair_card(place: str, error_mm: float, predicted: np.ndarray, true: np.ndarray) -> Card:
    return Card(f"{number(float(error_mm))} mm: {place}", scene=pose_scene({"truth": true, "prediction": predicted}))


def _reference_table(references: list[Reference]) -> Table:
    keys = {"source": "poses from", "n_poses": "poses", "seed": "seed", "inertia": "inertia", "sha256": "hash"}
    rows = [(str(one.k), *(str(one.metadata.get(key, "–"))[:12] for key in keys)) for one in references]
    note = "Scores are comparable between runs only where the hash of the reference is the same."
    return Table("References", ("k", *keys.values()), rows, note)
