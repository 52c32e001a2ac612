"""DRAEM: its recipe, its loss, its scores, and textures from a folder."""

import numpy as np
import pytest
import torch
from helpers import make_images, samples_of, stages_of
from PIL import Image
from scipy import ndimage
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

from medad.detectors.contract.plan import TrainingData
from medad.detectors.registry import make_detector
from medad.detectors.synthetic.draem import DRAEM, draem_loss, window_means
from medad.errors import UserError

NORMAL = make_images(6, seed=1)


def tiny(**options: object) -> DRAEM:
    return make_detector("draem", "tiny", device="cpu", jobs=1, **options)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "textures").mkdir()
    for i, pixels in enumerate(make_images(3, 80, seed=9).pixels):
        Image.fromarray(pixels[0]).save(tmp_path / "textures" / f"{i}.png")
    return tmp_path / "textures"


def test_recipe():
    o = make_detector("draem", "paper", device="cpu").options
    assert (o.size, o.epochs, o.batch_size, o.lr, o.width, o.textures) == (256, 700, 8, 1e-4, 128, "")
    assert (o.beta1, o.beta2, o.weight_decay) == (0.9, 0.999, 0.0)


def test_the_learning_rate_falls_twice(tmp_path):
    np.save(tmp_path / "normal.npy", NORMAL.pixels)
    data = TrainingData((tmp_path / "normal.npy",), (6,), ("images",))
    ((spec,),) = stages_of(tiny(steps=100, lr=1e-3), data, tmp_path)
    phase = spec.make()
    for number, lr in ((0, 1e-3), (79, 1e-3), (80, 2e-4), (89, 2e-4), (90, 4e-5), (99, 4e-5)):
        phase.schedule(number)
        assert [g["lr"] for g in phase.optimisers["draem"].param_groups] == [pytest.approx(lr)]


def test_samples_are_images_and_the_same_with_textures_where_the_mask_says():
    torch.manual_seed(0)
    x = 2 * torch.rand(30, 1, 64, 64) - 1
    clean, changed, mask = samples_of(DRAEM, tiny().options, x)
    assert min(clean.min(), changed.min()) >= 0 and max(clean.max(), changed.max()) <= 1
    assert torch.equal((clean != changed)[:, 0] & (mask == 0), torch.zeros(30, 64, 64, dtype=torch.bool))
    assert 0.1 < mask.flatten(1).any(1).float().mean() < 0.7
    as_it_was = (clean == (x + 1) / 2).flatten(1).all(1)
    assert 0.4 < as_it_was.float().mean() < 0.95  # others are turned


def test_the_loss_is_the_sum_of_three():
    torch.manual_seed(1)
    clean, changed, repaired = torch.rand(3, 2, 1, 32, 32)
    logits, mask = torch.randn(2, 2, 32, 32), (torch.rand(2, 32, 32) < 0.1).float()
    found = draem_loss(lambda x: (repaired, logits), clean, changed, mask)
    similarity = [
        structural_similarity_index_measure(
            b[None], a[None], sigma=1.5, kernel_size=11, data_range=1.0, return_full_image=True
        )[1][..., 5:-5, 5:-5].mean()
        for a, b in zip(clean, repaired, strict=True)
    ]
    p = logits.softmax(1)
    p = torch.where(mask > 0, p[:, 1], p[:, 0])
    focal = -((1 - p) ** 2 * p.log()).mean()
    expected = F.mse_loss(repaired, clean) + 1 - sum(similarity) / 2 + focal
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("size", "window"), [(256, 21), (128, 11), (64, 5)])
def test_windows(size, window):
    maps = torch.rand(2, size, size)
    expected = np.stack([ndimage.uniform_filter(m.double().numpy(), window, mode="constant") for m in maps])
    np.testing.assert_allclose(window_means(maps), expected, atol=1e-5)


def test_scores_are_of_the_map():
    detector = tiny().fit(NORMAL)
    (found,) = detector.predict(make_images(4, seed=3))
    maps = found.maps["anomaly_map"]
    assert maps.min() >= 0 and maps.max() <= 1
    np.testing.assert_allclose(found.scores["mean"], maps.mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.scores["max"], maps.max((1, 2)), rtol=1e-5)
    smooth = [ndimage.uniform_filter(m, 5, mode="constant").max() for m in maps.astype(float)]
    np.testing.assert_allclose(found.scores["pred_score"], smooth, rtol=1e-4)
    np.testing.assert_array_equal(found.scores["pred_score"], found.scores["smooth_max"])


def test_textures_of_a_folder_count_and_not_where_it_is(folder, tmp_path):
    given = tiny(textures=str(folder))
    with_folder = given.fit(NORMAL).scores(NORMAL)["pred_score"]
    assert (with_folder != tiny().fit(NORMAL).scores(NORMAL)["pred_score"]).any()
    moved = folder.rename(tmp_path / "elsewhere")
    assert given.options.of_training() == tiny(textures=str(moved)).options.of_training()
    assert given.options.of_training() != tiny().options.of_training()
    np.testing.assert_array_equal(tiny(textures=str(moved)).fit(NORMAL).scores(NORMAL)["pred_score"], with_folder)


def test_what_is_wrong_is_refused_before_anything_is_changed(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        tiny(textures=str(tmp_path / "nowhere")).fit(NORMAL)
    with pytest.raises(UserError, match="even number"):
        tiny(width=3)
