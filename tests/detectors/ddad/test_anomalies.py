"""The anomalies that ASR-Net learns on: the published ones as ever, others in the same share of the images."""

import pytest
import torch
from helpers import make_images, stages_of

from medad.detectors.contract.plan import TrainingData
from medad.detectors.ddad.anomalies import SYNTHESES, with_anomalies
from medad.detectors.registry import make_detector
from medad.errors import UserError
from medad.synthesis.foreign_squares import foreign_squares
from medad.synthesis.sources import other_indices
from medad.training.pixels import to_unit

KEYS = {
    "ndm_1": "5d80534bc7252369f6f4e98d83f6bc3b",
    "ndm_2": "662c225918da0efada96dcd23c7c2bb5",
    "udm_1": "5e9625d2e40bc4d50d8e32a2370b7ff4",
    "udm_2": "726247105bb1352e1fa8237c85e7fb9c",
    "r_intra": "fd552c12023464133bfc28f8f5263675",
    "r_dual": "590c340dedcc6fe0cb328d0d744133da",
}


class Images:
    """Images in memory, as a phase sees them."""

    def __init__(self, count: int) -> None:
        self.x = to_unit(make_images(count).pixels, torch.device("cpu")).clamp(min=-0.8)  # no background
        self.x += 0.1 * torch.rand(self.x.shape)

    def __len__(self) -> int:
        return len(self.x)

    def __call__(self, index: torch.Tensor) -> torch.Tensor:
        return self.x[index]


def test_the_published_ones_are_what_they_were():
    images, index = Images(40), torch.arange(40)
    torch.manual_seed(0)
    made = with_anomalies("fpi", 0.5, images, index)
    torch.manual_seed(0)
    expected = foreign_squares(images(index), images(other_indices(index, 40)), 0.5)
    assert torch.equal(made.images, expected.images) and torch.equal(made.labels, expected.labels)


@pytest.mark.parametrize("name", SYNTHESES)
@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_a_share_of_the_images_is_changed_where_the_labels_say(name, share):
    images, index = Images(40), torch.arange(40)
    torch.manual_seed(1)
    made = with_anomalies(name, share, images, index)
    changed = (made.images != images(index)).flatten(1).any(1)
    assert abs(changed.float().mean() - share) < 0.25
    assert set(made.labels.unique().tolist()) <= {0.0, 1.0}
    assert not made.labels[~changed].any()
    assert ((made.images != images(index))[:, 0] | (made.labels == 0)).float().mean() > 0.99


def keys_of(folder, **options):
    data = TrainingData((folder / "n", folder / "u"), (4, 4), ("normal", "unlabeled"))
    detector = make_detector("ddad", "tiny", device="cpu", jobs=1, **options)
    return {spec.name: spec.key for stage in stages_of(detector, data, folder) for spec in stage}


def test_what_earlier_versions_trained_is_known(tmp_path):
    assert keys_of(tmp_path) == KEYS
    others = keys_of(tmp_path, synthesis="cutpaste")
    assert {name for name in KEYS if others[name] != KEYS[name]} == {"r_intra", "r_dual"}


def test_other_anomalies_teach_other_networks():
    def fit(**options):
        detector = make_detector("ddad", "tiny", device="cpu", jobs=1, **options).fit(make_images(12, seed=1))
        return detector.scores(make_images(3))

    usual, named, other = fit(), fit(synthesis="fpi"), fit(synthesis="cutpaste")
    assert (usual["r_intra"] == named["r_intra"]).all() and (usual["r_intra"] != other["r_intra"]).any()
    assert (usual["a_intra"] == other["a_intra"]).all()


def test_an_unknown_one_is_refused():
    with pytest.raises(UserError, match="synthesis='squares': choose from fpi"):
        make_detector("ddad", synthesis="squares")
