"""Archives are drawn from images of one source, and what is listed of them is printed."""

import csv
from dataclasses import replace

import numpy as np
from helpers import make_images

from medad.detectors.contract.seen import digests_of
from medad.experiments.pages.archive_lists import archive_section
from medad.experiments.studies.lists import COLUMNS, FILE, FOLDER, draw, held_out, hidden
from medad.workflows.options import TrainOptions


def test_an_archive_holds_the_share_of_abnormal_images_and_nobody_twice():
    known, bad = make_images(90, seed=1), make_images(50, seed=2)
    normal, fine, abnormal = draw(known, bad, 3)
    assert (len(normal), len(fine), len(abnormal)) == (60, 30, 13)
    every = np.concatenate([digests_of(part.pixels).numpy() for part in (normal, fine, abnormal)])
    assert len(set(every.tolist())) == 103
    assert draw(known, bad, 4)[0].ids != normal.ids


def test_both_ways_give_small_p_values_to_what_is_bright(tmp_path):
    normal, archive = make_images(80, seed=1), make_images(40, seed=2)
    pixels = archive.pixels.copy()
    pixels[:10, :, 8:24, 8:24] = 255
    options = TrainOptions(
        "nu", preset="tiny", size=64, device="cpu", jobs=1, options={"extractor": "pixels", "holdout": 0.3}
    )
    for way, count in ((held_out, 24), (hidden, 40)):
        p = way(normal, replace(archive, pixels=pixels), options, tmp_path)
        assert p[:10].max() < np.median(p[10:])
        assert np.allclose(p * (count + 1), np.round(p * (count + 1)))


def test_the_section_shows_shares_with_their_errors(tmp_path):
    folder = tmp_path / "somewhere" / FOLDER
    folder.mkdir(parents=True)
    rows = [
        ["AdaDetect", 0, 0.1, 10, 1, 20, 50],
        ["AdaDetect", 1, 0.1, 20, 4, 20, 50],
        ["held out", 0, 0.1, 0, 0, 20, 50],
    ]
    with (folder / FILE).open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows, ["held out", 1, 0.1, 8, 4, 20, 50]])
    *_, table = archive_section(tmp_path)
    assert "| somewhere | hidden (AdaDetect) | 2 | 10 | 15.0 ± 5.0 | 62.5 ± 17.5 |" in table
    assert "| somewhere | held out | 2 | 10 | 25.0 ± 25.0 | 10.0 ± 10.0 |" in table
    assert not [*archive_section(tmp_path / "empty")]
