"""The encoder of a fitted autoencoder."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from medad.detectors.features.extractors.contract import Extractor, Maps
from medad.detectors.features.extractors.own_file import required
from medad.errors import UserError
from medad.training.checkpoint import load_tensors
from medad.training.run_folder import WEIGHTS_FILE, read_run

NETWORKS = {"ae": "ae", "memae": "memae", "aeu": "aeu", "ddad": "ndm_1"}  # of which method which network


class EncoderExtractor(Extractor):
    """The convolutions of an encoder of :mod:`medad.networks.autoencoder`: 16-32-64-64 channels, as it was trained.

    Parameters
    ----------
    channels : sequence of int
        Of the images, and after each convolution.
    """

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        self.channels = channels[0]
        self.network = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True))
                for a, b in zip(channels, channels[1:], strict=False)
            )
        )
        self.pooled = tuple(f"stage{i}" for i in range(1, len(channels)))
        self.dense = self.pooled[1:4]

    def forward(self, x: Tensor) -> Maps:
        """Return the maps after each convolution: strides 2, 4, 8, 16, ...

        Raises
        ------
        UserError
            For colour images, where it was trained on grey ones.
        """
        if x.shape[1] > self.channels:
            raise UserError("extractor 'encoder' has learned from grey images: set `--options.channels 1`")
        x, found = x.expand(-1, self.channels, -1, -1), {}
        for name, stage in zip(self.pooled, self.network, strict=True):
            found[name] = x = stage(x)
        return found


def make_encoder(state: Mapping[str, Tensor]) -> EncoderExtractor:
    """Return the extractor for the weights `state`, whose shapes tell its channels."""
    shapes = [state[f"network.{i}.0.weight"].shape for i in range(len(state) // 6)]
    return EncoderExtractor([shapes[0][1], *(shape[0] for shape in shapes)])


def read_encoder(weights: str) -> EncoderExtractor:
    """Return the extractor with the weights of the run in the folder `weights`; of an ensemble its first network.

    Raises
    ------
    UserError
        If no folder is named, there is no run in it, or one without such an encoder.
    """
    folder = Path(required("encoder", weights, f"the folder of a run of {', '.join(NETWORKS)}"))
    method = read_run(folder).get("method")
    if method not in NETWORKS:
        raise UserError(f"{folder}: a run of {method}; extractor 'encoder' takes one of {', '.join(NETWORKS)}")
    file = folder / WEIGHTS_FILE
    try:
        state = _of_encoder(load_tensors(file)[0], f"{NETWORKS[method]}/encoder.")
        extractor = make_encoder(state)
        extractor.load_state_dict(state)
    except (LookupError, RuntimeError) as error:
        raise UserError(f"{file}: holds no encoder of {method}") from error
    return extractor


def _of_encoder(tensors: Mapping[str, Any], prefix: str) -> dict[str, Tensor]:
    """Return the encoder's weights under their names here: it is a row of convolution, batch norm and ReLU."""
    found = {}
    for name, value in tensors.items():
        layer = re.fullmatch(rf"{re.escape(prefix)}(\d+)\.(\w+)", name)
        if layer:
            stage, place = divmod(int(layer[1]), 3)
            found[f"network.{stage}.{place}.{layer[2]}"] = value
    return found
