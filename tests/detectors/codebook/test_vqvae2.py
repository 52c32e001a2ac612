"""VQ-VAE-2: recipe, score, and codebooks that a resumed training ends with."""

import pytest
import torch
from helpers import make_images, stages_of

from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import make_detector
from medad.training.checkpoint import load_tensors
from medad.training.loop import Interrupted, train_in_turns
from medad.training.pixels import share_pixels, to_unit


def test_recipe():
    o = make_detector("vqvae2", "paper", device="cpu").options
    assert (o.epochs, o.batch_size, o.lr, o.beta1, o.beta2, o.weight_decay) == (560, 128, 3e-4, 0.9, 0.999, 0.0)
    assert (o.hidden, o.latent, o.codes) == (128, 64, 512)


def test_the_score_is_the_mean_squared_residual():
    detector = make_detector("vqvae2", "tiny", device="cpu", jobs=1).fit(make_images(6, seed=1))
    x = to_unit(make_images(3, seed=3).pixels, torch.device("cpu"))
    with torch.inference_mode():
        scores, maps = detector.analyse(x)
    expected = (x - detector.networks_["vqvae2"](x)[0]).square()
    torch.testing.assert_close(maps["a_rec"], expected.mean(1))
    torch.testing.assert_close(scores["pred_score"], expected.mean((1, 2, 3)))


def test_resumed_training_ends_with_the_same_codebooks(tmp_path):
    images = make_images(12, seed=1)
    detector = make_detector("vqvae2", "tiny", device="cpu", steps=5, batch_size=4)
    data = TrainingData((share_pixels(images, tmp_path / "normal.npy"),), (12,), (images.fingerprint,))
    results = []
    for name, stops in ("whole", []), ("resumed", [3]):
        (tmp_path / name).mkdir()
        ((spec,),) = stages_of(detector, data, tmp_path / name)
        for stop in stops:
            done = [0]
            with pytest.raises(Interrupted):
                report, enough = lambda _, steps, done=done: done.append(steps), lambda done=done: done[-1] >= stop  # noqa: B023
                train_in_turns([spec], tmp_path / name, report, enough)
        train_in_turns([spec], tmp_path / name, lambda *_: None, lambda: False)
        results.append(load_tensors(tmp_path / name / "vqvae2.safetensors")[0])
    one, other = results
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert "vqvae2/bottom_quantiser.sums" in one
    assert not torch.equal(one["vqvae2/top_quantiser.counts"], torch.ones(8))
