"""Options of students that learn from a teacher."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from medad.detectors.contract.ranges import ranged
from medad.detectors.features.detector import FeatureOptions
from medad.errors import OptionError, check_choice
from medad.networks.patch_network import LAYERS
from medad.training.spec import Recipe

TEACHERS = ("distillation", "metric")
STRIDES = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class StudentOptions(FeatureOptions):
    """Options of teacher and students; the defaults are preset ``paper``.

    Attributes
    ----------
    patch : int
        Side of the patches: 17, 33 or 65; 0 for all three, whose maps are averaged.
    width : int
        Numbers in a descriptor; the widest layers have twice as many channels.
    teacher : str
        How the teacher learns: ``"distillation"``, to describe patches as `extractor` does, or ``"metric"``, that a
        patch and the same patch slightly changed are alike and one of another image is not; no extractor is needed.
    teacher_steps, teacher_batch_size : int
        Length of the teacher's training, and patches per step.
    teacher_lr, teacher_weight_decay : float
        Of its Adam.
    student_epochs, student_batch_size : int
        Length of the students' training.
    student_steps : int or None
        If given, the number of steps instead of `student_epochs`.
    student_lr, student_weight_decay : float
        Of their Adam.
    places : int
        If positive, a step of a student looks at so many times so many pixels of each image, in a grid laid at random
        so that every pixel is as likely, instead of at all pixels.
    stride : int
        Maps are computed at every so manieth pixel in both directions, and enlarged bilinearly.
    """

    of_teacher: ClassVar[tuple[str, ...]] = ("size", "channels", "width", "teacher", "extractor")

    patch: int = 0
    width: int = ranged(128, 1)
    teacher: str = "distillation"
    teacher_steps: int = ranged(50_000, 1)
    teacher_batch_size: int = ranged(64, 2)
    teacher_lr: float = ranged(2e-4, 1e-12, 1)
    teacher_weight_decay: float = ranged(1e-5, 0)
    student_epochs: int = ranged(100, 1)
    student_batch_size: int = ranged(1, 1)
    student_steps: int | None = ranged(None, 1)
    student_lr: float = ranged(1e-4, 1e-12, 1)
    student_weight_decay: float = ranged(1e-5, 0)
    places: int = ranged(0, 0)
    stride: int = 1

    def __post_init__(self) -> None:
        """Refuse patches and strides that there are not, and what `FeatureOptions` refuses."""
        super().__post_init__()
        check_choice("teacher", self.teacher, TEACHERS)
        if self.patch and self.patch not in LAYERS:
            raise OptionError("patch", "choose 17, 33, 65, or 0 for all three", self.patch)
        if self.stride not in STRIDES:
            raise OptionError("stride", "choose 1, 2, 4, 8 or 16", self.stride)

    @property
    def patches(self) -> tuple[int, ...]:
        """Sides of the patches."""
        return (self.patch,) if self.patch else tuple(LAYERS)

    def relevant(self, *more: str) -> Mapping[str, Any]:
        """Return the options on which a teacher depends, and those whose names are or begin with one of `more`."""
        wanted = (*self.of_teacher, "teacher_", *more)
        return {name: value for name, value in self.of_training().items() if name.startswith(wanted)}

    def teacher_recipe(self, count: int) -> Recipe:
        """Return how long a teacher trains on patches of `count` images."""
        return Recipe(count, self.teacher_batch_size, 1, self.teacher_steps)

    def student_recipe(self, count: int) -> Recipe:
        """Return how long a student trains on `count` images."""
        return Recipe(count, self.student_batch_size, self.student_epochs, self.student_steps, keep_last=True)
