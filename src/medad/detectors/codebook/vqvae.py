"""VQ-VAE with an autoregressive prior: improbable codes, and restorations without them."""

from collections.abc import Mapping
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medad.detectors.codebook.pixelsnail import PixelSNAIL
from medad.detectors.codebook.vqvae_network import VQVAE
from medad.detectors.codebook.vqvae_training import (
    AUTOENCODER,
    PRIOR,
    THRESHOLDS,
    VQVAEOptions,
    clipped_adam,
    make_prior,
    make_vqvae,
    prior_phase,
    thresholds_fit,
)
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.groups import Analysis, in_groups
from medad.detectors.contract.one_network import network_phase
from medad.detectors.contract.options import STANDARD
from medad.detectors.contract.plan import Plan
from medad.training.seeds import derive_seed
from medad.training.spec import Spec, Sweep

SHARPNESS = 3.0  # of the weights of restorations
LEAST_DISTANCE = 1e-6
RESTORED_AT_ONCE = 2**19  # pixels


class VQVAEDetector(Detector):
    """Codes that the prior finds improbable, and what changes when they are drawn anew.

    A VQ-VAE turns an image into a map of codes, and PixelSNAIL learns how probable each code is given those before it.
    The score sums the NLLs (-log p) of improbable codes. For the map, improbable codes are drawn anew from the prior,
    one after the other, S times; the residuals of the S images that the decoder makes of them are averaged, those
    nearest to the image with most weight, and smoothed.

    Scores: ``code_nll`` (sum of the NLLs above the 98th percentile of normal codes; ``pred_score``), ``restoration``
    and ``a_rec``, the means of their maps: the smoothed residual of the restorations (``anomaly_map``), and the
    absolute residual of the reconstruction.

    Differs from the paper: there is no slice position as a condition; a batch of 8 volumes x 8 slices is 64 images.
    Training images are taken as they are: the code deforms, scales, mirrors, rotates, blurs them, adds noise and
    changes their brightness, and standardises brains by their foreground. The thresholds, 7 and 5 nats in the code, are
    the percentiles that the paper gives for them, of the codes of training images, as held-out ones may be missing: a
    bit too low where the prior overfits. The first convolution is padded, which the submission forgot. The weights of
    restorations use the mean distance (the code) instead of the sum (the paper). The filters, 3 x 3 minimum and 7 x 7
    mean, are 2-D, and the mean is over pixels inside the image (the code's sees zeros outside). Random numbers of the
    restorations come from the seed, the same for every image, so that scores can be repeated. Attention has every
    position of maps up to 10 x 10 and half the resolution of larger ones, as the code has in its two configurations;
    the first convolution of the prior is 7 x 7 for both, in the code 3 x 3 for the smaller.

    References
    ----------
    Naval Marimont and Tarroni, ISBI 2021; code snavalm/lsr_mood_challenge_2020.
    """

    name = "vqvae"
    options_type = VQVAEOptions
    meanings = {
        "code_nll": "how improbable the image's codes are",
        "restoration": "difference from images whose improbable codes were drawn anew",
        "a_rec": "reconstruction error",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": STANDARD,
        "quick": {
            "width": 4,
            "batch_size": 16,
            "lr": 1e-3,
            "epochs": 8,
            "prior_width": 32,
            "prior_blocks": 2,
            "restorations": 5,
        },
        "tiny": {"width": 1, "codes": 8, "prior_width": 4, "prior_blocks": 1, "restorations": 2, "steps": 2},
    }

    def build(self) -> dict[str, nn.Module]:
        """Return the VQ-VAE and its prior."""
        return {AUTOENCODER: make_vqvae(self.options), PRIOR: make_prior(self.options)}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return three stages: the phases of VQ-VAE and prior, the fit of the thresholds."""
        o, plan = plan.options, plan.normal
        recipe, relevant = o.recipe(plan.count), o.of_training()
        of_vqvae = {name: value for name, value in relevant.items() if not name.startswith("prior_")}
        vqvae = partial(network_phase, name=AUTOENCODER, make=partial(make_vqvae, o), optimise=clipped_adam)
        return [
            [self.spec(plan, AUTOENCODER, vqvae, recipe, of_vqvae)],
            [self.spec(plan, PRIOR, prior_phase, recipe)],
            [self.spec(plan, THRESHOLDS, thresholds_fit, Sweep(plan.count, o.batch_size))],
        ]

    def load_state(self, tensors: Mapping[str, Tensor], unlabeled: bool = False) -> None:
        """Take fitted weights; draw the random numbers of all restorations, (S, codes of an image)."""
        super().load_state(tensors, unlabeled)
        generator = torch.Generator().manual_seed(derive_seed(self.seed, "restorations"))
        places = (self.options.size // VQVAE.shrinkage) ** 2
        self.uniform_ = torch.rand(self.options.restorations, places, generator=generator).to(self.device)

    def analyse(self, x: Tensor) -> Analysis:
        """Return the sum of the improbable codes' NLLs, and the residuals of reconstruction and restorations."""
        return in_groups(self._analyse, x)

    def _analyse(self, x: Tensor) -> Analysis:
        vqvae, prior = self._networks
        codes = vqvae.encode(x)
        nll = prior.nll(codes).flatten(1)
        improbable = (nll * (nll > self.tensors_[f"{THRESHOLDS}/score"])).sum(1)
        residual = (x - vqvae.decode(codes)).abs().mean(1)
        at_once = max(RESTORED_AT_ONCE // (self.options.size**2 * self.options.restorations), 1)
        parts = zip(x.split(at_once), codes.split(at_once), strict=True)
        restoration = torch.cat([self._restoration_map(*part) for part in parts])
        means = {"restoration": restoration.mean((1, 2)), "a_rec": residual.mean((1, 2))}
        maps = {"restoration": restoration, "a_rec": residual, "anomaly_map": restoration}
        return {"code_nll": improbable} | means | {"pred_score": improbable}, maps

    @property
    def _networks(self) -> tuple[VQVAE, PixelSNAIL]:
        return cast(VQVAE, self.folded_[AUTOENCODER]), cast(PixelSNAIL, self.folded_[PRIOR])

    def _restoration_map(self, x: Tensor, codes: Tensor) -> Tensor:
        """Return the smoothed residual of the restorations, (n, S, S)."""
        (vqvae, prior), threshold = self._networks, self.tensors_[f"{THRESHOLDS}/restoration"]
        count, (times, _) = len(x), self.uniform_.shape
        drawn = prior.redraw(codes.repeat_interleave(times, 0), threshold, self.uniform_.repeat(count, 1))
        return smoothed(weighted_residual(x, vqvae.decode(drawn).unflatten(0, (count, times))))


def weighted_residual(x: Tensor, restored: Tensor) -> Tensor:
    """Return sum_j phi_j |x - r_j| with phi = softmax_j(3 / mean|x - r_j|).

    Parameters
    ----------
    x : Tensor
        Images, (n, C, H, W).
    restored : Tensor
        Restorations r_j of each, (n, J, C, H, W).

    Returns
    -------
    Tensor
        (n, H, W), the mean over channels.
    """
    residuals = (x[:, None] - restored).abs().mean(2)
    weights = (SHARPNESS / residuals.mean((2, 3)).clamp(min=LEAST_DISTANCE)).softmax(1)
    return (weights[:, :, None, None] * residuals).sum(1)


def smoothed(maps: Tensor) -> Tensor:
    """Return the 7 x 7 means of the 3 x 3 minima of `maps`, (n, H, W), of what lies inside the image."""
    lowest = -F.max_pool2d(-maps, 3, stride=1, padding=1)
    return F.avg_pool2d(lowest, 7, stride=1, padding=3, count_include_pad=False)
