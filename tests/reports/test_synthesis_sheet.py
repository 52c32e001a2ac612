"""The sheet of synthetic anomalies: its size, what it outlines, and how it is told from other pictures."""

import numpy as np
import pytest
from PIL import Image

from medad.reports.synthesis_sheet import COLUMNS, ROWS, SynthesisSheet, draw_synthesis, is_sheet, write_synthesis


def sheet(count: int, colour: tuple[int, ...] = ()) -> SynthesisSheet:
    images = np.random.default_rng(0).random((2, count, 16, 16, *colour))
    labels = np.zeros((count, 16, 16), dtype=np.float32)
    labels[1:, 4:9, 3:12] = 0.5
    return SynthesisSheet("a heading with $ signs", *images, labels)


@pytest.mark.parametrize(("count", "bands"), [(1, 1), (3, 1), (8, 1), (9, 2), (24, 3)])
def test_every_image_has_a_column(count, bands):
    figure = draw_synthesis(sheet(count))
    parts = [part for part in figure.subfigs if part.axes]
    assert len(parts) == bands
    shown = [ax for part in parts for ax in part.axes if ax.images]
    assert len(shown) == len(ROWS) * count
    assert max(len(part.axes) for part in parts) <= len(ROWS) * COLUMNS


def test_changes_are_outlined_and_clean_images_are_said_to_be():
    (part,) = (part for part in draw_synthesis(sheet(3)).subfigs if part.axes)
    before = part.axes[:3]
    assert [ax.get_title() for ax in before] == ["stayed clean", "", ""]
    assert [len(ax.collections) for ax in before] == [0, 1, 1]
    assert [ax.get_ylabel() for ax in part.axes[::3]] == list(ROWS)


@pytest.mark.parametrize("colour", [(), (3,)])
def test_a_sheet_is_written_the_same_each_time_and_known_again(tmp_path, colour):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    for path in (first, second):
        write_synthesis(path, sheet(2, colour))
    assert first.read_bytes() == second.read_bytes()
    assert is_sheet(first)
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_other_files_are_no_sheets(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "picture.png")
    (tmp_path / "text.png").write_text("mine")
    assert not any(is_sheet(path) for path in (*tmp_path.iterdir(), tmp_path, tmp_path / "missing"))
