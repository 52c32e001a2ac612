"""Average precisions of small regions are those of all pixels."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from medad.evaluation.small_regions import average_precisions


@pytest.mark.parametrize("seed", range(5))
def test_average_precisions_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    draw = [lambda *s: rng.random(s), lambda *s: rng.integers(0, 4, s) / 4][seed % 2]
    positive, negative = draw(7, 13), np.sort(draw(60))
    labels = np.repeat([1, 0], [13, 60])
    expected = [average_precision_score(labels, np.concatenate([row, negative])) for row in positive]
    np.testing.assert_allclose(average_precisions(positive, negative), expected)
