"""Plain tables and archives of named points."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.formats.poses2d.plain import open_csv, open_npz
from tests.formats.poses2d.files import COCO_17, person


def table(rows, **columns):
    values = {
        f"{name}_{part}": [row[i, c] for row in rows]
        for i, name in enumerate(COCO_17)
        for c, part in enumerate(("x", "y", "confidence"))
    }
    return pd.DataFrame({**columns, **values})


def test_a_table_has_a_row_for_each_person_in_each_frame(tmp_path):
    rows = [person(COCO_17), person(COCO_17, (50, 0)), person(COCO_17, (2, 0))]
    table(rows, frame=[0, 0, 4], person=[1, 2, 1]).to_csv(tmp_path / "cam1.csv", index=False)
    [(view, poses)] = open_csv(tmp_path / "cam1.csv").items()
    assert (view, poses.points) == ("cam1", COCO_17)
    np.testing.assert_array_equal(poses.numbers, [0, 4])
    np.testing.assert_allclose(poses.read(np.array([1])).points_px[0], rows[2][:, :2])
    assert len(poses.read(np.array([0])).rows) == 2


def test_a_table_may_have_several_views_and_no_confidence(tmp_path):
    rows = table([person(COCO_17)] * 3, view=["01", "02", "02"], frame=[0, 0, 1])
    rows[[column for column in rows if not column.endswith("_confidence")]].to_csv(tmp_path / "all.csv", index=False)
    opened = open_csv(tmp_path / "all.csv")
    assert {view: len(poses.numbers) for view, poses in opened.items()} == {"01": 1, "02": 2}
    assert (opened["01"].read(np.array([0])).confidence == 1).all()


def test_missing_values_are_missing_points(tmp_path):
    rows = table([person(COCO_17)], frame=[0])
    rows["LKnee_x"] = np.nan
    rows.to_csv(tmp_path / "a.csv", index=False)
    people = open_csv(tmp_path / "a.csv")["a"].read(np.array([0]))
    assert people.confidence[0, COCO_17.index("LKnee")] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.drop(columns="LKnee_y"), "The columns LKnee_y are missing"),
        (lambda rows: rows.astype({"LKnee_x": object}).assign(LKnee_x="left"), "A value is no number.*left"),
        (lambda rows: rows.assign(frame=[0, 0], person=[1, 1]), "Frame and person 0, 1 are there twice"),
        (lambda rows: rows.astype({"frame": object}).assign(frame=["a", "b"]), "A value is no number"),
        (lambda rows: rows.assign(frame=[0, np.nan]), "The frame of row 1 is nan"),
        (lambda rows: rows.assign(frame=[-1, 0]), "The frame of row 0 is -1"),
        (lambda rows: rows.assign(frame=[0, 0.5]), "The frame of row 1 is 0.5"),
    ],
)
def test_wrong_tables_are_refused(tmp_path, change, said):
    change(table([person(COCO_17)] * 2, frame=[0, 1])).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(UserError, match=said):
        open_csv(tmp_path / "a.csv")


@pytest.mark.parametrize("text", ["", "name,value\na,1\n", "frame,speed\n0,1\n"])
def test_other_tables_are_not_poses(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    assert open_csv(tmp_path / "a.csv") == {}


def test_an_archive_of_one_person_in_one_view(tmp_path):
    values = np.stack([person(COCO_17, (i, 0)) for i in range(3)])
    np.savez(tmp_path / "cam1.npz", points_px=values[..., :2], names=COCO_17, size_px=(640, 480))
    [(view, poses)] = open_npz(tmp_path / "cam1.npz").items()
    assert (view, poses.size_px, len(poses.numbers)) == ("cam1", (640, 480), 3)
    np.testing.assert_allclose(poses.read(np.array([2])).points_px[0], values[2, :, :2])
    assert (poses.read(np.array([2])).confidence == 1).all()


def test_an_archive_of_several_people_and_views(tmp_path):
    values = np.stack(
        [[[person(COCO_17, (i + 10 * p, 100 * v)) for p in range(2)] for v in range(2)] for i in range(3)]
    )
    values[1, 1, 1] = np.nan
    np.savez(
        tmp_path / "a.npz", points_px=values[..., :2], confidence=values[..., 2], names=COCO_17, views=["l", "r"],
        frames=[4, 5, 9],
    )  # fmt: skip
    opened = open_npz(tmp_path / "a.npz")
    assert list(opened) == ["l", "r"]
    people = opened["r"].read(np.array([0, 1, 2]))
    np.testing.assert_array_equal(people.rows, [0, 0, 1, 2, 2])
    np.testing.assert_allclose(people.points_px[4], values[2, 1, 1, :, :2])
    np.testing.assert_array_equal(opened["r"].numbers, [4, 5, 9])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"names": COCO_17[:5]}, r"points_px is \(3, 17, 2\) with 1 views and 5 names"),
        ({"views": ["a", "b"]}, "with 2 views"),
        ({"frames": [1, 2]}, "There are 2 frames and 3 rows"),
        ({"frames": [1, 1, 2]}, "row 0 and row 1 are of the same frame, 1"),
        ({"frames": [0, np.nan, 2]}, "The frame of row 1 is nan"),
        ({"size_px": [640]}, r"size_px is \[640\]"),
        ({"size_px": [640, 0]}, r"size_px is \[640"),
        ({"confidence": np.ones((3, 16))}, r"confidence is \(3, 16\)"),
    ],
)
def test_wrong_archives_are_refused(tmp_path, change, said):
    arrays = {"points_px": np.ones((3, 17, 2)), "names": COCO_17, **change}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=said):
        open_npz(tmp_path / "a.npz")


def test_other_archives_are_not_poses(tmp_path):
    np.savez(tmp_path / "a.npz", x=1)
    assert open_npz(tmp_path / "a.npz") == {}
