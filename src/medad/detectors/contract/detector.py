"""The contract of all detectors: fit on normal (and unlabeled) images, then give maps and scores."""

import json
import re
import sys
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from medad.cores import cores
from medad.data.given import Images
from medad.detectors.contract.holdout import split_holdout
from medad.detectors.contract.options import Options, make_options
from medad.detectors.contract.plan import Plan, TrainingData
from medad.detectors.contract.scoring import Scoring
from medad.detectors.contract.seen import digests_of
from medad.detectors.contract.training import train
from medad.errors import UserError, check_choice
from medad.evaluation.calibration import threshold_at_specificity
from medad.networks.folding import folded
from medad.training.checkpoint import load_networks, load_tensors, network_state, save_tensors
from medad.training.held_out import read_held_out, write_held_out
from medad.training.machine.device import choose_device
from medad.training.machine.precision import check_precision, products_in
from medad.training.main_module import refuse_second_call
from medad.training.phase_store import PhaseStore
from medad.training.run_folder import WEIGHTS_FILE, read_run, timings, update_run, write_losses
from medad.training.seeds import derive_seed
from medad.training.seen_images import read_seen, write_seen
from medad.training.spec import Recipe, Spec, Work
from medad.training.stopwatch import SECONDS_FILE, Stopwatch
from medad.training.workspace import workspace

SPECIFICITY = 0.95
OF_ALL = {"pred_score": "the detector's score", "anomaly_map": "the detector's map"}


class Detector(Scoring):
    """A method that can be fitted.

    Parameters
    ----------
    options : Options, optional
        The method's options; its defaults are preset ``paper``.
    seed : int
        All that is random comes from it.
    precision : str
        Of training: ``"fp32"``; ``"tf32"``, the same with products rounded as GPUs are fastest at (GPUs
        only); or ``"bf16"`` for the forward passes.
    scoring_precision : str
        The same for the networks' passes in :meth:`predict`; maps and scores are computed from them in fp32.
    device : str
        ``"auto"`` (CUDA when there), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    jobs : int, optional
        Number of training processes; all cores by default. The result does not depend on it.

    Attributes
    ----------
    networks_ : dict
        The fitted networks by name.
    folded_ : dict
        The same as they score, batch norms merged into the layers before them.
    tensors_ : dict
        What fits have found, by ``FIT/NAME``: banks, means, thresholds, of the sizes that training gave them.
    loss_curves_ : dict
        Mean loss of each epoch by phase.
    threshold_ : float or None
        An image is abnormal from this ``pred_score`` on.
    held_out_scores_ : ndarray or None
        (m,) ``pred_score`` of the normal images held out for the threshold; None without any.
    images_ : dict
        How many normal images :meth:`fit` ``trained`` on and ``held_out``, and how many ``unlabeled`` ones it used.
    seen_ : dict
        Digests, (n,) ``int64`` ascending, of the images that were ``trained`` on, unlabeled ones too, and ``held_out``.
    timings_ : dict
        How long training took, see :func:`medad.training.run_folder.timings`.
    """

    name: ClassVar[str]
    options_type: ClassVar[type[Options]] = Options
    presets: ClassVar[dict[str, dict[str, Any]]]
    forms: ClassVar[dict[str, dict[str, Any]]] = {}  # what option `form`, where there is one, does to the others
    uses_unlabeled: ClassVar[bool] = False
    random: ClassVar[bool] = True  # whether the seed makes a difference
    meanings: ClassVar[dict[str, str]]  # what its scores and maps are, by name; {k} stands for a number
    recipe_version: ClassVar[int] = 4  # raised when a change makes the same options train to other weights
    threads: ClassVar[int] = 1  # of a phase or fit, see Spec; two where a step is long enough to share

    def __init__(
        self,
        options: Options | None = None,
        *,
        seed: int = 0,
        precision: str = "fp32",
        scoring_precision: str = "fp32",
        device: str = "auto",
        jobs: int | None = None,
    ) -> None:
        self.options: Any = options or self.options_type()
        self.seed, self.jobs = seed, jobs or cores()
        self.device = choose_device(device)
        self.precision = check_precision(precision)
        self.scoring_precision = check_precision(scoring_precision, self.device)
        self.networks_: dict[str, nn.Module] = {}
        self.folded_: dict[str, nn.Module] = {}
        self.tensors_: dict[str, Tensor] = {}
        self.loss_curves_: dict[str, np.ndarray] = {}
        self.threshold_: float | None = None
        self.held_out_scores_: np.ndarray | None = None
        self.images_: dict[str, int] = {}
        self.has_unlabeled_ = False
        self.seen_: dict[str, Tensor] = {}
        self.timings_: dict[str, Any] = {}

    @classmethod
    def from_options(cls, options: Mapping[str, Any], **settings: Any) -> Self:
        """Make a detector from option names and values.

        Raises
        ------
        UserError
            For an option that the method does not have, a value of another type or an unknown form.
        """
        form = options.get("form")
        if cls.forms and form is not None:
            check_choice("form", form, cls.forms)
        return cls(make_options(cls.options_type, cls.forms.get(str(form), {}) | dict(options), cls.name), **settings)

    def build(self) -> dict[str, nn.Module]:
        """Return the networks that training fills, freshly made, by name; none by default."""
        return {}

    @abstractmethod
    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the phases and fits of the training: those of a stage are independent of each other.

        Those of a later stage find what earlier ones left by :meth:`medad.detectors.contract.plan.Plan.finished`.
        """

    def fit(
        self,
        normal: Images,
        unlabeled: Images | None = None,
        *,
        folder: Path | None = None,
        resume: bool = False,
        store: PhaseStore | None = None,
        begin: Callable[[Path], None] | None = None,
    ) -> Self:
        """Learn from normal and, if the method can, from unlabeled images.

        Parameters
        ----------
        normal, unlabeled : ImageSet, array or list of files
            Training images, see :func:`medad.data.given.as_images`; labels are never looked at.
        folder : Path, optional
            Run folder in whose ``checkpoint/`` the state of training is kept; a temporary one by default.
        resume : bool
            Go on from what lies there instead of starting anew.
        store : PhaseStore, optional
            Networks that lie there already are not trained again; those that are trained are put there.
        begin : callable, optional
            Called with the folder of the state of training before it is looked at or changed.

        Raises
        ------
        UserError
            For fewer than two normal images, or images of another kind or size than the options say.
        """
        check_precision(self.precision, self.device)
        refuse_second_call()
        normal = self._given(normal)
        unlabeled = None if unlabeled is None else self._given(unlabeled)
        if len(normal) < 2:
            raise UserError(f"{len(normal)} normal image(s): at least 2 are needed to train on")
        self.threshold_, self.held_out_scores_ = None, None
        self.loss_curves_, self.networks_, self.folded_, self.tensors_ = {}, {}, {}, {}
        if unlabeled is not None and not len(unlabeled):
            unlabeled = None
        if unlabeled is not None and not self.uses_unlabeled:
            print(f"{self.name} does not use unlabeled images: {len(unlabeled)} are set aside", file=sys.stderr)
            unlabeled = None
        with workspace(folder, resume) as work, Stopwatch(work / SECONDS_FILE) as watch:
            if begin is not None:
                begin(work)
            went_on = watch.resumed or any(work.glob("*.safetensors"))
            train, held_out = split_holdout(normal, self.options.holdout, self.seed, work / "normal.npy")
            images = {"normal": train} | ({"unlabeled": unlabeled} if unlabeled is not None else {})
            self._train(TrainingData.of(images, work), work, store)
            self.images_ = {
                "trained": len(train),
                "held_out": len(normal) - len(train),
                "unlabeled": len(unlabeled) if unlabeled is not None else 0,
            }
            if held_out is not None:
                self.held_out_scores_ = np.concatenate([p.scores["pred_score"] for p in self.predict(held_out)])
                self.threshold_ = threshold_at_specificity(self.held_out_scores_, SPECIFICITY)
            self.seen_ = {
                "trained": torch.cat([digests_of(part.pixels) for part in images.values()]).sort().values,
                "held_out": digests_of(held_out.pixels).sort().values
                if held_out
                else torch.empty(0, dtype=torch.int64),
            }
            self.timings_ = timings(watch, went_on)
        return self

    def save(self, folder: str | Path) -> None:
        """Write ``weights.safetensors``, the method's part of ``run.yaml``, and what is told of the training.

        That is ``losses.csv``, ``held_out.csv`` and ``seen.safetensors``.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        """
        self._check_fitted()
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_tensors(folder / WEIGHTS_FILE, network_state(self.networks_) | self.tensors_)
        write_losses(folder, self.loss_curves_)
        write_held_out(folder, self.held_out_scores_)
        write_seen(folder, self.seen_)
        update_run(
            folder,
            method=self.name,
            options=asdict(self.options),
            seed=self.seed,
            precision=self.precision,
            unlabeled=self.has_unlabeled_,
            threshold=self.threshold_,
        )

    @classmethod
    def load(cls, folder: Path, **machine: Any) -> Self:
        """Return the detector that :meth:`save` wrote into `folder`.

        Parameters
        ----------
        folder : Path
            Run folder.
        **machine
            `scoring_precision`, `device` and `jobs`, which may differ from those of the training.

        Raises
        ------
        UserError
            If the folder's files are missing, not readable or do not fit each other.
        """
        run = read_run(folder)
        try:
            detector = cls.from_options(run["options"], seed=run["seed"], precision=run["precision"], **machine)
            detector.load_state(load_tensors(Path(folder) / WEIGHTS_FILE)[0], bool(run["unlabeled"]))
            detector.threshold_, detector.held_out_scores_ = run["threshold"], read_held_out(folder)
            detector.seen_ = read_seen(folder)
        except (KeyError, TypeError, RuntimeError) as error:
            raise UserError(f"{folder}: run.yaml and weights do not fit each other ({error!s:.200})") from error
        return detector

    @classmethod
    def meaning(cls, name: str) -> str:
        """Return what the score or map `name` is, in a few words for a reader; none of a name that it does not give."""
        return OF_ALL.get(name) or cls.meanings.get(name) or cls.meanings.get(re.sub(r"\d+$", "{k}", name), "")

    def learned(self, name: str) -> Tensor:
        """Return a tensor of the fit that is named as the method."""
        return self.tensors_[f"{self.name}/{name}"]

    @property
    def shortened_by(self) -> str:
        """The option that makes epochs fewer on many images."""
        return "most_images"

    @property
    def most_threads(self) -> int:
        """Arithmetic threads of the largest phase: so many cores a training takes."""
        return self.threads

    def load_state(self, tensors: Mapping[str, Tensor], unlabeled: bool = False) -> None:
        """Take what a training has made.

        Parameters
        ----------
        tensors : mapping
            Weights, named as :func:`medad.training.checkpoint.network_state` names them, and the tensors of fits.
        unlabeled : bool
            Whether it learned from unlabeled images.
        """
        self.has_unlabeled_ = unlabeled
        self.networks_ = self.build()
        load_networks(self.networks_, tensors)
        for network in self.networks_.values():
            network.to(self.device, memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
        self.folded_ = {name: folded(network) for name, network in self.networks_.items()}
        rest = {name: value for name, value in tensors.items() if name.split("/")[0] not in self.networks_}
        # Copies, which lie in memory as any tensor does: sums over what a file's header has shifted round otherwise.
        self.tensors_ = {name: value.to(self.device, copy=True) for name, value in rest.items()}

    def untrained(self, unlabeled: bool = False) -> Self:
        """Take networks as a training begins with them, as a measurement of speed needs them; return self."""
        self.has_unlabeled_ = unlabeled
        self.load_state(network_state(self.build()), unlabeled)
        return self

    def plan(self, data: TrainingData, folder: Path) -> Plan:
        """Return the training on `data`, under the options for so many images, with its state in `folder`."""
        options = self.options.for_images(data.counts[0])
        return Plan(options, data, folder, self.seed, self.precision, str(self.device))

    def spec(
        self,
        plan: Plan,
        name: str,
        build: Callable[[Plan, Recipe], Work],
        recipe: Recipe,
        relevant: Mapping[str, Any] | None = None,
    ) -> Spec:
        """Describe a phase or a fit on the images of `plan`.

        Parameters
        ----------
        plan : Plan
            The training, or the part of it on which the outcome depends.
        name : str
            Its name; with the detector's seed it gives its own.
        build : callable
            Makes it from plan and recipe, in the process that does it.
        recipe : Recipe
            Number of images, batch size and length.
        relevant : mapping, optional
            The options on which the outcome depends; by default all that training looks at.
        """
        relevant = plan.options.of_training() if relevant is None else dict(relevant)
        facts = [self.recipe_version, self.name, name, relevant, list(plan.data.fingerprints), plan.seed]
        facts += [plan.precision, self.device.type]
        key = blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).hexdigest()
        seed = derive_seed(plan.seed, name)
        return Spec(name, key, partial(build, plan), seed, recipe, threads=self.threads, device=plan.device)

    def _train(self, data: TrainingData, folder: Path, store: PhaseStore | None) -> None:
        plan = self.plan(data, folder)
        if plan.options != self.options:
            epochs = f"{plan.options.epochs} epochs instead of {self.options.epochs}"
            print(f"{data.counts[0]} normal images: {epochs}; see option {self.shortened_by}", file=sys.stderr)
        with products_in(self.precision, self.device):
            trained = train(self.stages(plan), folder, self.jobs, store)
        self.load_state(trained.networks | trained.fitted, plan.has_unlabeled)
        self.tensors_ = {name: self.tensors_[name] for name in trained.fitted}  # not networks of earlier stages
        self.loss_curves_ = trained.losses
