"""DDAD-ASR: dual-distribution discrepancy with self-supervised refinement."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from medad.detectors.contract.detector import Detector
from medad.detectors.contract.division import Division
from medad.detectors.contract.one_network import network_phase
from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.ddad.anomalies import SYNTHESES
from medad.detectors.ddad.choice import RULE, Choice
from medad.detectors.ddad.cross_fit import AT_ONCE, NU, CrossFit, cross_fit
from medad.detectors.ddad.cross_fit import NAME as CHOICE
from medad.detectors.ddad.discrepancy import unstack
from medad.detectors.ddad.ensemble import RAW, RAW_SCORE, Ensemble, Networks
from medad.detectors.ddad.options import PRESETS, DDADOptions, mentioned
from medad.detectors.ddad.refinement import REFINEMENT_THREADS, refinement_phase
from medad.detectors.reconstruction.backbones import (
    make_network,
    network_options,
    residual_map,
)
from medad.errors import OptionError, check_choice
from medad.networks.autoencoder import BACKBONES
from medad.networks.dropout import draw_masks
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors
from medad.training.phase_store import PhaseStore
from medad.training.run_folder import update_run
from medad.training.seeds import derive_seed
from medad.training.spec import Recipe, Spec, Sweep

FEWEST = 10  # images of either kind that a fold leaves out


class DDAD(Detector):
    """Spread inside an ensemble that knows the normals, and its distance to one that knows all images.

    Stage 1 trains K networks on the normal images (NDM) and, with unlabeled images, K more on
    both (UDM). A_intra is the spread of the NDM's reconstructions, A_inter the distance between
    the means of both, for AE-U divided by the NDM's sigma. Stage 2 trains ASR-Net on synthetic
    anomalies to refine A_intra (R_intra) and both maps (R_dual).

    Scores: ``a_rec_1`` … ``a_rec_K`` (single networks), ``a_rec_ensemble``, ``a_intra``,
    ``a_inter``, ``r_intra``, ``r_dual``, each the mean of its map; ``pred_score`` is ``r_dual``,
    without unlabeled images ``r_intra``.

    With option `folds` (preset ``standard``) there are several DDADs, each trained without a fold of the images. The
    maps of a new image are by all networks as one ensemble, those of an image that was learned from, known by its
    content, by the DDAD that left it out, so that the unlabeled images themselves can be ranked; all in units of the
    spread of normal images. ``r_nu``, a regression of unlabeled against normal images on such maps, joins the scores,
    and ``pred_score`` is the mean of those that tell unlabeled from normal images best. Without unlabeled images, or
    with too few for folds, it is ``a_rec_ensemble``.

    Differs from the paper: where text and code disagree the code is followed (four linear layers,
    mean losses, half of the synthetic images clean), except for the divisor of the standard
    deviation (`bessel`) and the order of ASR-Net's inputs; log(sigma^2) is clamped to ±10; the
    last epoch is the result, nothing is chosen on test images. Other anomalies than `synthesis`
    ``fpi``, averages of members and `folds` are ours.

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
    ensemble_type: ClassVar[type[Ensemble]] = Ensemble

    def __init__(self, options: DDADOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        self._folds = 0  # that were trained
        if self.options.folds == 1:
            raise OptionError("folds", "give 0, or 2 and more", 1)
        if self.options.ensemble_size < 2:
            fault = "one network has no discrepancy; use 2 or more"
            raise OptionError("ensemble_size", fault, self.options.ensemble_size)
        check_choice("backbone", self.options.backbone, BACKBONES)
        check_choice("synthesis", self.options.synthesis, SYNTHESES)
        if self.options.mc_passes and (self.options.mc_passes < 2 or not self.options.dropout or self.options.refine):
            raise OptionError("mc_passes", "give at least 2, with option dropout and without option refine")

    @property
    def ensembles(self) -> list[Ensemble]:
        """The networks: those of one DDAD, or of one for each fold."""
        return self._ensembles(self.has_unlabeled_, self._folds)

    @property
    def cross_fit_(self) -> CrossFit | None:
        """What was learned from images by networks that had left them out; None without folds."""
        return CrossFit.of(self.tensors_, self.ensembles[0].maps)

    @property
    def choice_(self) -> Choice | None:
        """The choice of the score that is reported, and how all candidates did; None where there was none."""
        return self.cross_fit_.choice if self.cross_fit_ else None

    @property
    def reported(self) -> tuple[str, ...]:
        """The names of the scores whose mean is ``pred_score``."""
        if self.choice_ is not None:
            return self.choice_.names
        return (RAW_SCORE if self.options.folds else self.ensembles[0].maps[-1],)

    @property
    def shortened_by(self) -> str:
        """The option that makes epochs fewer on many images."""
        return "fold_images" if self.options.folds else super().shortened_by

    @property
    def most_threads(self) -> int:
        """Those of ASR-Net, where there is one."""
        return REFINEMENT_THREADS if self.options.refine else self.threads

    def build(self) -> dict[str, nn.Module]:
        """Return the members of both modules and the ASR-Nets."""
        return {name: network for ensemble in self.ensembles for name, network in ensemble.build().items()}

    def plan(self, data: TrainingData, folder: Path) -> Plan:
        """Return the training, which is shorter with folds."""
        plan = super().plan(data, folder)
        if self._division(plan) is None:
            return plan
        shorter = replace(self.options, most_images=self.options.fold_images)
        return plan.with_options(replace(shorter.for_images(data.counts[0]), most_images=self.options.most_images))

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the members' phases, then ASR-Net's, then the choice of the score."""
        division = self._division(plan)
        if division is None:
            if self.options.folds and plan.has_unlabeled:
                print(f"{self.name}: too few images for folds: the reconstruction error is reported", file=sys.stderr)
            return self._networks([(plan, self._ensembles(plan.has_unlabeled, 0)[0])])
        ensembles = self._ensembles(True, len(division.folds))
        parts = [plan.part(np.sort(learn)) for learn, _ in division.folds]
        build = partial(cross_fit, division=division, ensembles=ensembles, finished=partial(finished, ensembles))
        last = self.spec(plan, CHOICE, build, Sweep(plan.count, AT_ONCE))
        return [*self._networks(list(zip(parts, ensembles, strict=True))), [last]]

    def _ensembles(self, unlabeled: bool, folds: int) -> list[Ensemble]:
        prefixes = [f"fold{k + 1}_" for k in range(folds)] or [""]
        return [self.ensemble_type(self.options, unlabeled, prefix) for prefix in prefixes]

    def _division(self, plan: Plan) -> Division | None:
        """Return the folds; None where there are to be none, or would be too few images in one."""
        if not (self.options.folds and plan.has_unlabeled):
            return None
        division = Division.of(plan, self.options.folds)
        counts = [np.bincount(division.pool[left], minlength=2).min() for _, left in division.folds]
        return division if min(counts, default=0) >= FEWEST else None

    def _networks(self, parts: Sequence[tuple[Plan, Ensemble]]) -> list[list[Spec]]:
        members = [
            self._member(plan, name, module)
            for plan, ensemble in parts
            for module, names in ensemble.modules.items()
            for name in names
        ]
        refiners = [self.refiner(plan, of, ensemble) for plan, ensemble in parts for of in ensemble.refiners]
        return [members, refiners] if refiners else [members]

    def _member(self, plan: Plan, name: str, module: str) -> Spec:
        plan = plan if module == "udm" else plan.normal
        o = plan.options
        build = partial(network_phase, name=name, make=partial(make_network, o.backbone, o), average=o.member_average)
        relevant = network_options(o) | {"backbone": o.backbone, "member_average": o.member_average}
        return self.spec(plan, name, build, o.recipe(plan.count), mentioned(relevant))

    def refiner(self, plan: Plan, of: str, ensemble: Ensemble) -> Spec:
        """Return the phase of the ASR-Net that makes the map `of`, which asks for the members as they lie finished."""
        plan, modules = (plan, ["ndm", "udm"]) if of == "r_dual" else (plan.normal, ["ndm"])
        o, name = plan.options, f"{ensemble.prefix}{of}"
        recipe = Recipe(plan.normal.count, o.refine_batch_size, o.refine_epochs, o.refine_steps)
        members = [ensemble.modules[module] for module in modules]
        build = partial(refinement_phase, name=name, of=of, modules=members)
        spec = self.spec(plan, name, build, recipe, mentioned(o.of_training() | {"refine_snapshots": 0}))
        return replace(spec, snapshots=o.refine_snapshots, threads=REFINEMENT_THREADS)

    def load_state(self, tensors: Mapping[str, Tensor], unlabeled: bool = False) -> None:
        """Take fitted weights; with MC dropout, draw the masks of all passes."""
        self._folds = max(len(tensors.get(f"{CHOICE}/units", ())) - 1, 0)
        super().load_state(tensors, unlabeled)
        mask(self.folded_, self.options, self.seed)

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return all discrepancies and refined maps of a batch."""
        crossed, singles = self.cross_fit_, {}
        if crossed is not None:
            maps = crossed.maps(x, self.ensembles, self.folded_)
        else:
            made = self.ensembles[0].reconstruct(self.folded_, x)
            maps = self.ensembles[0].maps_of(self.folded_, x, made)
            single = [] if self.options.mc_passes else unstack(made[0])
            singles = {f"a_rec_{k + 1}": residual_map(x, out).mean((1, 2)) for k, out in enumerate(single)}
        means = {name: value.mean((1, 2)) for name, value in maps.items()}
        scores = singles | {RAW_SCORE: means.pop(RAW[0])} | means
        scores["pred_score"] = torch.stack([scores[name] for name in self.reported]).mean(0)
        shown = [maps[RAW[0] if name == RAW_SCORE else name] for name in self.reported]
        return scores, maps | {"anomaly_map": torch.stack(shown).mean(0)}

    def save(self, folder: str | Path) -> None:
        """Write what every detector does, and in ``run.yaml`` which score was chosen, and how all candidates did."""
        super().save(folder)
        if self.choice_ is not None:
            judged = {n: {k: round(v, 5) for k, v in asdict(j).items()} for n, j in self.choice_.judged.items()}
            update_run(Path(folder), choice={"chosen": self.choice_.chosen, "rule": RULE, "judged": judged})

    def _train(self, data: TrainingData, folder: Path, store: PhaseStore | None) -> None:
        super()._train(data, folder, store)
        if self.choice_ is not None:
            figures = ", ".join(f"{name} {j.auc_u:.3f}" for name, j in self.choice_.judged.items())
            told = f"unlabeled against normal images, out of fold, AUROC: {figures}; reported: {self.choice_.chosen}"
            print(f"{self.name}: {told}", file=sys.stderr)


def mask(networks: Networks, options: DDADOptions, seed: int) -> None:
    """Draw the masks of all passes of networks with MC dropout; do nothing to others."""
    for name, network in networks.items() if options.mc_passes else ():
        device = next(network.parameters()).device
        example = torch.zeros(1, options.channels, options.size, options.size, device=device)
        draw_masks(network, options.mc_passes, derive_seed(seed, name, "masks"), example)


def finished(ensembles: Sequence[Ensemble], plan: Plan) -> Networks:
    """Return the networks as they lie finished, by name."""
    networks = {name: network for ensemble in ensembles for name, network in ensemble.build().items()}
    for name, network in networks.items():
        load_networks({name: network}, load_tensors(plan.finished(name))[0])
    scoring = {name: folded(network).to(plan.device) for name, network in networks.items()}
    mask(scoring, plan.options, plan.seed)
    return scoring
