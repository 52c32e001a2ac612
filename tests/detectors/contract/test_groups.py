"""Groups of images: what makes much of roundings gives the same for every batch size."""

import numpy as np
import pytest
import torch
from helpers import make_images

from medad.detectors.contract.groups import GROUP_PIXELS, groups, in_groups
from medad.detectors.registry import make_detector


def test_groups_have_one_size_and_the_last_is_filled_up(monkeypatch):
    monkeypatch.setitem(GROUP_PIXELS, "cpu", 3 * 16)
    x = torch.arange(7.0)[:, None, None, None].expand(7, 2, 4, 4)
    assert [part[:, 0, 0, 0].tolist() for part in groups(x)] == [[0, 1, 2], [3, 4, 5], [6, 6, 6]]
    assert [len(part) for part in groups(x[:3])] == [3]
    scores, maps = in_groups(lambda part: ({"mean": part.mean((1, 2, 3))}, {"first": part[:, 0]}), x)
    assert torch.equal(scores["mean"], torch.arange(7.0))
    assert torch.equal(maps["first"], x[:, 0])


@pytest.mark.parametrize("method", ["vqvae", "vqvae2"])
def test_scores_of_quantised_features_are_the_same_for_every_batch_size(method):
    detector = make_detector(method, "tiny", device="cpu", jobs=1).fit(make_images(8, seed=1))
    images = make_images(13, seed=2)
    whole, *others = (list(detector.predict(images, n)) for n in (13, 1, 4))
    for parts in others:
        for name, scores in whole[0].scores.items():
            np.testing.assert_array_equal(np.concatenate([part.scores[name] for part in parts]), scores)
        maps = np.concatenate([part.maps["anomaly_map"] for part in parts])
        np.testing.assert_array_equal(maps, whole[0].maps["anomaly_map"])
