"""Scoring by folded networks, in batches, in either precision, with flat memory."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers import make_images

from medad.detectors.ddad.ddad import DDAD
from medad.detectors.registry import load_detector, make_detector
from medad.errors import UserError
from medad.training.checkpoint import network_state


def fitted(backbone="aeu", threads=1, scoring_precision="fp32"):
    """Return DDAD with random weights and the batch statistics of a trained network."""
    torch.manual_seed(0)
    options = DDAD.presets["tiny"] | {"backbone": backbone}
    detector = DDAD.from_options(options, device="cpu", jobs=threads, scoring_precision=scoring_precision)
    networks = detector.untrained(unlabeled=True).networks_
    for network in networks.values():
        for layer in network.modules():
            if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
                layer.running_mean.uniform_(-0.2, 0.2)
                layer.running_var.uniform_(0.1, 2)
    detector.load_state(network_state(networks), unlabeled=True)
    return detector


def scores(detector, images, batch_size=None):
    found = [prediction.scores for prediction in detector.predict(images, batch_size)]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


@pytest.mark.parametrize("backbone", ["ae", "memae", "aeu"])
def test_scores_are_those_of_the_networks_themselves_one_at_a_time(backbone):
    images, detector = make_images(9), fitted(backbone)
    plain = fitted(backbone)
    plain.folded_ = plain.networks_
    expected = scores(plain, images, 1)
    for batch_size in (None, 1, 2, 4, 9, 100):
        found = scores(detector, images, batch_size)
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-5, err_msg=f"{name}, batches of {batch_size}")


def test_scores_do_not_depend_on_the_number_of_threads():
    images = make_images(40)
    one, three = (scores(fitted(threads=n), images, 4) for n in (1, 3))
    for name, values in one.items():
        np.testing.assert_array_equal(three[name], values, err_msg=name)


def test_bf16_is_near_and_its_maps_are_fp32():
    images = make_images(6)
    exact, rough = scores(fitted(), images), scores(fitted(scoring_precision="bf16"), images)
    for name, values in exact.items():
        np.testing.assert_allclose(rough[name], values, rtol=0.1, err_msg=name)
        assert (rough[name] != values).any()
    (prediction,) = fitted(scoring_precision="bf16").predict(images)
    assert all(values.dtype == np.float32 for values in prediction.maps.values())
    assert len(np.unique(prediction.maps["a_intra"])) > 10_000  # not rounded to 8 bits


def test_the_precision_of_scoring_is_not_that_of_training(tmp_path):
    make_detector("ae", "tiny", precision="bf16", device="cpu", jobs=1).fit(make_images(8)).save(tmp_path)
    loaded = load_detector(tmp_path, device="cpu")
    assert (loaded.precision, loaded.scoring_precision) == ("bf16", "fp32")
    assert load_detector(tmp_path, scoring_precision="bf16", device="cpu").precision == "bf16"
    with pytest.raises(UserError, match="precision='fp8'"):
        load_detector(tmp_path, scoring_precision="fp8", device="cpu")


MEMORY = """
import resource, numpy as np
from medad.data.imageset import ImageSet
from medad.detectors.ddad.ddad import DDAD

detector = DDAD.from_options(DDAD.presets["tiny"], device="cpu", jobs=2)
detector.untrained(unlabeled=True)
image = np.arange(64 * 64, dtype=np.uint8).reshape(1, 1, 64, 64)
for count in (500, 2000):
    pixels = np.broadcast_to(image, (count, 1, 64, 64))  # takes no memory itself
    for prediction in detector.predict(ImageSet(pixels, tuple(map(str, range(count))), ("",) * count)):
        assert prediction.maps["r_dual"].shape[1:] == (64, 64)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads peak memory in Linux's unit")
def test_memory_does_not_grow_with_the_number_of_images():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    few, many = (int(kilobytes) for kilobytes in done.stdout.split())
    assert many - few < 40_000  # the maps of 1500 images more would be 147 000
