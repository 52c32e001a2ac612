"""The encoder of a fitted run as an extractor."""

import shutil

import numpy as np
import pytest
import torch
from helpers import make_images

from medad.detectors.features.extractors.registry import for_scoring, make_extractor, read_extractor
from medad.detectors.registry import load_detector, make_detector
from medad.errors import UserError

NETWORK = {"ae": "ae", "memae": "memae", "aeu": "aeu", "ddad": "ndm_1"}


def saved(folder, method, **options):
    """Save a detector as a training begins with it, batch norms changed; return the network that is looked through."""
    torch.manual_seed(0)
    detector = make_detector(method, "tiny", device="cpu", jobs=1, **options).untrained()
    for name, tensor in (network := detector.networks_[NETWORK[method]]).state_dict().items():
        if "running" in name:
            tensor.uniform_(0.5, 1.5)
    detector.save(folder)
    return network


@pytest.mark.parametrize(
    ("method", "options", "channels"),
    [
        ("ae", {}, [16, 32, 64, 64]),
        ("memae", {"width": 2}, [32, 64, 128, 128]),
        ("aeu", {"size": 256, "dropout": 0.1}, [16, 32, 64, 64, 64]),
        ("ddad", {"channels": 3}, [16, 32, 64, 64]),
    ],
)
def test_its_stages_are_the_encoder_s(method, options, channels, tmp_path):
    network = saved(tmp_path, method, **options)
    extractor = read_extractor("encoder", str(tmp_path))
    x = torch.rand(2, options.get("channels", 1), 64, 64) * 2 - 1
    with torch.inference_mode():
        maps, folded = extractor(x), for_scoring(extractor)(x)
        torch.testing.assert_close(list(maps.values())[-1], network.encoder(x))
    assert [m.shape[1] for m in maps.values()] == channels
    assert [m.shape[2] for m in maps.values()] == [64 // 2 ** (i + 1) for i in range(len(channels))]
    assert set(extractor.dense) < set(extractor.pooled) == set(maps)
    for name in maps:
        torch.testing.assert_close(folded[name], maps[name], rtol=1e-5, atol=1e-6)
    again = make_extractor("encoder", extractor.state_dict())
    again.load_state_dict(extractor.state_dict())


def test_a_detector_needs_no_run_afterwards(tmp_path):
    saved(tmp_path / "ae", "ae")
    how = {"device": "cpu", "jobs": 1, "extractor": "encoder", "weights": str(tmp_path / "ae")}
    images = make_images(6)
    detector = make_detector("mahalanobis", "tiny", **how).fit(images)
    detector.save(tmp_path / "run")
    shutil.rmtree(tmp_path / "ae")
    again = load_detector(tmp_path / "run", device="cpu")
    np.testing.assert_array_equal(again.scores(images)["pred_score"], detector.scores(images)["pred_score"])


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(
        UserError, match="extractor 'encoder' needs weights.*the folder of a run of ae, memae, aeu, ddad"
    ):
        read_extractor("encoder")
    with pytest.raises(UserError, match="no run here"):
        read_extractor("encoder", str(tmp_path))
    (tmp_path / "run.yaml").write_text("method: vqvae\n")
    with pytest.raises(UserError, match="a run of vqvae; extractor 'encoder' takes one of ae, memae"):
        read_extractor("encoder", str(tmp_path))
    saved(tmp_path / "ae", "ae")
    (tmp_path / "ae" / "weights.safetensors").rename(tmp_path / "weights.safetensors")
    with pytest.raises(UserError, match="not a readable weights file"):
        read_extractor("encoder", str(tmp_path / "ae"))
    (tmp_path / "run.yaml").write_text("method: memae\n")
    with pytest.raises(UserError, match="weights.safetensors: holds no encoder of memae"):
        read_extractor("encoder", str(tmp_path))


def test_colour_images_need_an_encoder_of_colours(tmp_path):
    saved(tmp_path, "ae")
    with pytest.raises(UserError, match="has learned from grey images: set `--options.channels 1`"):
        read_extractor("encoder", str(tmp_path))(torch.zeros(1, 3, 64, 64))
