"""Scores of held-out normal images come back bit for bit, and nothing else comes with them."""

import numpy as np
import pytest

from medad.errors import UserError
from medad.training.held_out import read_held_out, write_held_out


def test_scores_come_back_bit_for_bit(tmp_path):
    scores = np.random.default_rng(0).normal(size=50) * 10.0 ** np.arange(-25, 25)
    write_held_out(tmp_path, scores)
    np.testing.assert_array_equal(read_held_out(tmp_path), scores)
    assert (tmp_path / "held_out.csv").read_text().splitlines()[0] == "pred_score"


def test_no_scores_are_no_file(tmp_path):
    write_held_out(tmp_path, np.arange(3))
    write_held_out(tmp_path, None)
    assert not list(tmp_path.iterdir()) and read_held_out(tmp_path) is None


@pytest.mark.parametrize("text", ["", "pred_score\n", "score\n1\n", "pred_score\n1\nx\n", "pred_score\nnan\n"])
def test_anything_else_is_refused(text, tmp_path):
    (tmp_path / "held_out.csv").write_text(text)
    with pytest.raises(UserError, match=r"held_out\.csv"):
        read_held_out(tmp_path)
