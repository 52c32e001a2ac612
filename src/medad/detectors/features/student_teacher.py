"""Uninformed students: networks that saw normal images only, and err and disagree elsewhere."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from medad.data.given import Images
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.plan import Plan
from medad.detectors.features import student_fits as fits
from medad.detectors.features import student_networks as nets
from medad.detectors.features import student_training as training
from medad.detectors.features.extractors.registry import extractor_key, read_extractor
from medad.detectors.features.student_data import learned_and_kept_back, teachers_images
from medad.detectors.features.student_moments import standardised
from medad.detectors.features.student_options import StudentOptions
from medad.training.spec import Recipe, Spec, Sweep, Work

PATCHES_AT_ONCE = 64  # of which an extractor's moments are found
QUICKER: dict[str, Any] = {"width": 64, "teacher_lr": 1e-3, "student_lr": 1e-3, "places": 32, "stride": 4}


class StudentTeacher(Detector):
    """Students regress what a teacher says of every patch of normal images; where they fail, something is unlike them.

    A teacher learns to describe small patches, by distillation from a frozen extractor or by metric learning, on
    patches of the normal and, if given, of the unlabeled images. Three students, which begin at random, learn on
    normal images alone to say the same. With t the teacher's standardised descriptor of a place, e is the squared
    distance of the students' mean from t, and v the students' spread; both are standardised over pixels of a tenth of
    the normal training images, drawn by the seed, which neither teacher nor students see. The map is e + v, averaged
    over patches of 17, 33 and 65 pixels.

    Scores: ``mean`` and ``max`` of the map, ``error`` and ``disagreement``, the means of the two parts. ``pred_score``
    is ``mean``, which suits diffuse anomalies; ``max`` is what the field takes for small ones.

    Differs from the paper: the extractor is any that there is, instead of ResNet-18, its descriptor standardised, cut
    off at 5 deviations and, if longer than 512 numbers, mixed at random into so many; the teacher learns from patches
    of the images at hand instead of ImageNet's, zoomed not too far from their own size, and enlarged to 64 x 64 for the
    extractor. Correlated are the 128 numbers of a descriptor, and L_c is the mean of squares. e and v are standardised
    over images kept back, of images padded with mid-grey. Images are of 128 pixels instead of 256. Presets ``standard``
    and ``quick`` train shorter, with half (``quick``: a quarter) of the channels and higher learning rates, and compute
    maps at every fourth pixel; their students look at 32 x 32 places of an image in a step, or as many as there are, in
    grids laid at random so that every pixel is as likely: the same loss in expectation. ``quick`` has patches of 33
    pixels alone.

    References
    ----------
    Bergmann, Fauser, Sattlegger, Steger, Uninformed students: student-teacher anomaly detection with discriminative
    latent embeddings, CVPR 2020.
    """

    name = "student_teacher"
    options_type = StudentOptions
    meanings = {
        "mean": "mean of the map",
        "max": "largest value of the map",
        "error": "how far the students are from the teacher",
        "disagreement": "how far the students are from each other",
    }
    uses_unlabeled = True
    presets = {
        "paper": {},
        "standard": QUICKER | {"holdout": 0.1, "teacher_steps": 300, "student_steps": 600},
        "quick": QUICKER | {"patch": 33, "width": 32, "teacher_steps": 300, "student_steps": 500},
        "tiny": {"size": 64, "patch": 17, "width": 4, "extractor": "pixels", "teacher_steps": 2}
        | {"teacher_batch_size": 4, "student_steps": 2, "places": 8, "stride": 8},
    }

    def fit(self, normal: Images, unlabeled: Images | None = None, **how: Any) -> Self:
        """Learn as every detector does; raises `UserError` also where the extractor's weights cannot be had."""
        self._extractor_key()  # before anything is changed
        return super().fit(normal, unlabeled, **how)

    def build(self) -> dict[str, nn.Module]:
        """Return teachers and students."""
        o = self.options
        of_patch = {p: [nets.teacher(p), *nets.students(p)] for p in o.patches}
        return {name: nets.make_patch_network(o, p) for p, names in of_patch.items() for name in names}

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return targets of distillation, teachers, their moments, students, and the moments of their maps."""
        o, key = plan.options, self._extractor_key()
        learned, kept = (len(rows) for rows in learned_and_kept_back(plan))
        seen, of_student = len(teachers_images(plan)), ("places", "student_")

        def spec(name: str, build: Callable[..., Work], recipe: Recipe, *more: str) -> Spec:
            return self.spec(plan, name, build, recipe, {**o.relevant(*more), "extractor": key})

        def stage(name: Callable[[int], str], build: Callable[..., Work], recipe: Recipe, *more: str) -> list[Spec]:
            return [spec(name(p), partial(build, patch=p), recipe, *more) for p in o.patches]

        stages = [
            stage(fits.targets, fits.targets_fit, Sweep(seen, PATCHES_AT_ONCE)),
            stage(nets.teacher, training.teacher_phase, o.teacher_recipe(seen)),
            stage(fits.outputs, fits.outputs_fit, Sweep(learned, 1), "places"),
            [
                spec(name, partial(training.student_phase, patch=p, name=name), o.student_recipe(learned), *of_student)
                for p in o.patches
                for name in nets.students(p)
            ],
            stage(fits.scores, fits.scores_fit, Sweep(kept, 1), *of_student, "stride"),
        ]
        return stages if key else stages[1:]

    @torch.no_grad()
    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return scores and maps, one image at a time: memory then depends on its size alone."""
        error, disagreement = (torch.cat(part) for part in zip(*map(self._maps, x.split(1)), strict=True))
        whole = error + disagreement
        scores = {"mean": whole.mean((1, 2)), "max": whole.amax((1, 2))}
        scores |= {"error": error.mean((1, 2)), "disagreement": disagreement.mean((1, 2))}
        maps = {"error": error, "disagreement": disagreement, "anomaly_map": whole}
        return scores | {"pred_score": scores["mean"]}, maps

    def _maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return error and disagreement of an image, (1, S, S), standardised, mean over the sides of patches."""
        found = torch.stack([self._of_patch(x, p) for p in self.options.patches]).mean(0)
        large = nets.enlarged(found, self.options.size)
        return large[:1], large[1:]

    def _of_patch(self, x: Tensor, patch: int) -> Tensor:
        o = self.options
        maps = nets.raw_maps(self.folded_, self._moments(fits.outputs(patch)), x, patch, o.stride)
        return standardised(torch.cat(maps), self._moments(fits.scores(patch)), dim=0)

    def _moments(self, fit: str) -> Mapping[str, Tensor]:
        return {name: self.tensors_[f"{fit}/{name}"] for name in ("mean", "deviation")}

    def _extractor_key(self) -> str:
        """Return what a teacher that distils depends on besides the options; empty for one that does not."""
        o = self.options
        return extractor_key(o.extractor, read_extractor(o.extractor, o.weights)) if o.teacher == "distillation" else ""
