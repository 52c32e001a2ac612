"""DDAD-ASR: dual-distribution discrepancy with self-supervised refinement."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.division import Division
from medad.detectors.contract.one_network import network_phase
from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.ddad.anomalies import SYNTHESES
from medad.detectors.ddad.asr_net import ASRNet
from medad.detectors.ddad.choice import CHOICE, NU, RULE, Analyse, Choice, choice_fit, choice_of, length
from medad.detectors.ddad.discrepancy import discrepancies, ensemble_residual, stack, unstack
from medad.detectors.ddad.map_regression import cells_of, contributions
from medad.detectors.ddad.options import PRESETS, DDADOptions, mentioned
from medad.detectors.ddad.refinement import REFINEMENT_THREADS, inputs_of, refined_from, refinement_phase
from medad.detectors.reconstruction.backbones import (
    make_network,
    network_options,
    residual_map,
)
from medad.errors import OptionError, check_choice
from medad.networks.autoencoder import BACKBONES, Reconstruction
from medad.networks.dropout import draw_masks
from medad.training.checkpoint import load_tensors
from medad.training.phase_store import PhaseStore
from medad.training.run_folder import update_run
from medad.training.seeds import derive_seed
from medad.training.spec import Recipe, Spec

RAW = ("a_rec", "a_intra", "a_inter")  # maps before refinement
RAW_SCORE = "a_rec_ensemble"
FEWEST = 10  # held-out images of either kind on which a score is chosen


class DDAD(Detector):
    """Spread inside an ensemble that knows the normals, and its distance to one that knows all images.

    Stage 1 trains K networks on the normal images (NDM) and, with unlabeled images, K more on
    both (UDM). A_intra is the spread of the NDM's reconstructions, A_inter the distance between
    the means of both, for AE-U divided by the NDM's sigma. Stage 2 trains ASR-Net on synthetic
    anomalies to refine A_intra (R_intra) and both maps (R_dual).

    Scores: ``a_rec_1`` … ``a_rec_K`` (single networks), ``a_rec_ensemble``, ``a_intra``,
    ``a_inter``, ``r_intra``, ``r_dual``, each the mean of its map; ``pred_score`` is ``r_dual``,
    without unlabeled images ``r_intra``. With option `choose` ``pred_score`` is the one that was
    chosen; ``r_nu``, a regression of unlabeled against normal images on the maps, is then among them.

    Differs from the paper: where text and code disagree the code is followed (four linear layers,
    mean losses, half of the synthetic images clean), except for the divisor of the standard
    deviation (`bessel`) and the order of ASR-Net's inputs; log(sigma^2) is clamped to ±10; the
    last epoch is the result, nothing is chosen on test images. Other anomalies than `synthesis`
    ``fpi``, averages of members and `choose` are ours.

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
        NU: "what tells maps of unlabeled images from maps of normal ones",
    }
    presets = PRESETS
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

    def candidates(self, unlabeled: bool) -> list[str]:
        """Return the names of the scores of all networks together, that which the paper reports last."""
        return [RAW_SCORE, *RAW[1 : 3 if unlabeled else 2], *self.refiners(unlabeled)]

    @property
    def choice_(self) -> Choice | None:
        """What was chosen on held-out images, and how all candidates did; None where nothing was."""
        names = self.candidates(self.has_unlabeled_)
        return choice_of(self.tensors_, names) if f"{CHOICE}/chosen" in self.tensors_ else None

    @property
    def reported(self) -> str:
        """The name of the score that is ``pred_score``."""
        if self.choice_ is not None:
            return self.choice_.chosen
        return RAW_SCORE if self.options.choose else self.candidates(self.has_unlabeled_)[-1]

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
        o = self.options
        refiners = {
            name: ASRNet(len(inputs_of(name, o)), o.refine_width) for name in self.refiners(self.has_unlabeled_)
        }
        return networks | refiners

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the members' phases, then ASR-Net's, then the choice of the score."""
        held = self._held_out(plan)
        if held is not None:
            learned = plan.part(np.setdiff1d(np.arange(plan.count), held))
            build = partial(choice_fit, names=self.candidates(True), inputs=RAW, finished=finished)
            rest = plan.part(held)
            return [*self._networks(learned), [self.spec(rest, CHOICE, build, length(rest))]]
        return self._networks(plan)

    def _networks(self, plan: Plan) -> list[list[Spec]]:
        modules = self.modules(plan.has_unlabeled)
        members = [self._member(plan, name, module) for module in modules for name in self.members(module)]
        refiners = [self.refiner(plan, name) for name in self.refiners(plan.has_unlabeled)]
        return [members, refiners] if refiners else [members]

    def _held_out(self, plan: Plan) -> np.ndarray | None:
        """Return which images are kept from all networks to choose the score on; None where none are."""
        if not (self.options.choose and plan.has_unlabeled):
            return None
        folds = Division.of(plan).folds
        held = np.sort(folds[0][1]) if folds else np.zeros(0, np.int64)
        if min(np.bincount(held >= plan.data.counts[0], minlength=2)) < FEWEST:
            print(f"{self.name}: too few images to choose a score on: the reconstruction error is it", file=sys.stderr)
            return None
        return held

    def _member(self, plan: Plan, name: str, module: str) -> Spec:
        plan = plan if module == "udm" else plan.normal
        o = plan.options
        build = partial(network_phase, name=name, make=partial(make_network, o.backbone, o), average=o.member_average)
        relevant = network_options(o) | {"backbone": o.backbone, "member_average": o.member_average}
        return self.spec(plan, name, build, o.recipe(plan.count), mentioned(relevant))

    def refiner(self, plan: Plan, name: str) -> Spec:
        """Return the phase of the ASR-Net `name`, which asks for the members as they lie finished."""
        plan, modules = (plan, ["ndm", "udm"]) if name == "r_dual" else (plan.normal, ["ndm"])
        o = plan.options
        recipe = Recipe(plan.normal.count, o.refine_batch_size, o.refine_epochs, o.refine_steps)
        build = partial(refinement_phase, name=name, modules=[self.members(module) for module in modules])
        spec = self.spec(plan, name, build, recipe, mentioned(o.of_training() | {"refine_snapshots": 0}))
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
        maps |= discrepancies(modules, self.options.bessel)
        for name in self.refiners(self.has_unlabeled_):
            maps[name] = cast(ASRNet, self.folded_[name]).refine(refined_from(maps, name, self.options))
        single = [] if self.options.mc_passes else unstack(modules[0])
        singles = {f"a_rec_{k + 1}": residual_map(x, out).mean((1, 2)) for k, out in enumerate(single)}
        means = {name: value.mean((1, 2)) for name, value in maps.items()}
        scores = singles | {RAW_SCORE: means.pop("a_rec")} | means
        if self.choice_ is not None:
            weights, cells = self.tensors_[f"{CHOICE}/weights"], cells_of([maps[name] for name in RAW])
            scores[NU] = cells @ weights[:-1] + weights[-1]
            maps[NU] = contributions(cells, weights[:-1], self.options.size)
        shown = maps["a_rec" if self.reported == RAW_SCORE else self.reported]
        return scores | {"pred_score": scores[self.reported]}, maps | {"anomaly_map": shown}

    def save(self, folder: str | Path) -> None:
        """Write what every detector does, and in ``run.yaml`` which score was chosen, and how all candidates did."""
        super().save(folder)
        if self.choice_ is not None:
            figures = {name: {k: round(v, 5) for k, v in asdict(j).items()} for name, j in self.choice_.judged.items()}
            update_run(Path(folder), choice={"chosen": self.choice_.chosen, "rule": RULE, "judged": figures})

    def _train(self, data: TrainingData, folder: Path, store: PhaseStore | None) -> None:
        super()._train(data, folder, store)
        if self.choice_ is not None:
            figures = ", ".join(f"{name} {j.auc_u:.3f}" for name, j in self.choice_.judged.items())
            told = f"held-out unlabeled against held-out normal images, AUROC: {figures}; reported: {self.reported}"
            print(f"{self.name}: {told}", file=sys.stderr)

    def _reconstruct(self, module: str, x: Tensor) -> Reconstruction:
        """Return the outputs of a module's networks or passes, tensors (K, n, C, S, S)."""
        networks, passes = [self.folded_[name] for name in self.members(module)], self.options.mc_passes
        if not passes:
            return stack([network(x) for network in networks])
        found = [networks[0](image.expand(passes, -1, -1, -1)) for image in x.split(1)]  # all passes of an image
        return stack(found, dim=1)


def finished(plan: Plan) -> Analyse:
    """Return what scores images by the networks that lie finished."""
    detector = DDAD(plan.options, device=plan.device, jobs=1)
    names = [name for module in detector.modules(True) for name in detector.members(module)]
    tensors: dict[str, Tensor] = {}
    for name in (*names, *detector.refiners(True)):
        tensors |= load_tensors(plan.finished(name))[0]
    detector.load_state(tensors, True)
    return detector.analyse
