"""The benchmark of decoding compares like with like, and its table holds what was measured."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from benchmarks.decoding import KINDS, _many, _table, ours, plain, read_many, section, write_files, write_many


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_give_the_same_squares(kind: str, tmp_path: Path) -> None:
    if "2000" in kind:
        pytest.importorskip("openjpeg")
    paths = write_files(tmp_path, kind, 3, side=96)
    with ThreadPoolExecutor(2) as pool:
        one, other = (np.asarray(way, float) for way in (ours(paths), plain(pool, paths)))
    assert one.shape == other.shape == (3, 64, 64) and one.std() > 1
    if kind.startswith("DICOM"):  # each in its own range: pydicom leaves values where the window puts them
        one, other = ((x - x.mean()) / x.std() for x in (one, other))
    assert np.abs(one - other).max() < 0.02


def test_links_are_files_of_their_own(tmp_path: Path) -> None:
    write_many(tmp_path, 5)
    found = read_many(tmp_path, 5)
    assert found["count"] == 5 and found["seconds"] > 0


def test_the_table_compares_with_the_faster_pool(tmp_path: Path) -> None:
    seconds = {"medad": [2.0, 2.2, 2.4], "threads": [4.0, 4.0, 4.0], "processes": [2.0, 2.0, 2.0]}
    table = _table({"rows": [{"kind": "PNG", "count": 100, "seconds": seconds}]})
    assert "| PNG | 45 | 25 | 50 | 1.10 (1.00–1.20) |" in table
    assert "1,000 small TIFF files" in (many := _many({"many": {"count": 1000, "seconds": 3.2, "bytes": 2**21}}))
    assert "2 MiB, which is 2,097 bytes a file" in many
    assert section(tmp_path).endswith("Nothing has been measured yet.")
