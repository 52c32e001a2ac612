"""Methods that look at images through a frozen network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor, nn

from medad.data.given import Images
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.options import Options
from medad.detectors.contract.plan import Plan
from medad.detectors.features.extractors.contract import Extractor
from medad.detectors.features.extractors.registry import (
    EXTRACTORS,
    extractor_key,
    make_extractor,
    read_extractor,
)
from medad.errors import check_choice
from medad.training.checkpoint import network_state
from medad.training.spec import Recipe, Spec, Work

# Nothing is trained, so all presets are alike but for the hold-out.
PRESETS: dict[str, dict[str, Any]] = {"paper": {}, "standard": {"holdout": 0.1}, "quick": {}, "tiny": {"size": 64}}
# Methods on descriptors whatever they are of: tests need no network for each of these.
PIXELS_IN_TESTS = PRESETS | {"tiny": {"size": 64, "extractor": "pixels"}}
EXTRACTOR = "extractor"  # its name among the networks of a run


@dataclass(frozen=True)
class FeatureOptions(Options):
    """Options of methods on frozen features.

    Attributes
    ----------
    extractor : str
        The network: one of :data:`medad.detectors.features.extractors.registry.EXTRACTORS`.
    weights : str
        File with its weights, for ``encoder`` the folder of a run; not needed where an installed package has them.
        Only training reads it: a run keeps the network that it looks through.
    """

    scoring = Options.scoring | {"weights"}  # what the file holds counts, not where it lies: see `FeatureDetector.spec`

    size: int = 128
    extractor: str = "efficientnet_lite0"
    weights: str = ""

    def __post_init__(self) -> None:
        """Refuse an extractor that there is not, and what `Options` refuses."""
        super().__post_init__()
        check_choice("extractor", self.extractor, EXTRACTORS)


class FeatureDetector(Detector):
    """A method on frozen features.

    Attributes
    ----------
    extractor_key_ : str
        What descriptors depend on besides the images.
    """

    options_type = FeatureOptions

    def __init__(self, options: Any = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        self.extractor_key_ = ""
        self._weights: dict[str, Tensor] = {}
        self._read: Extractor | None = None  # while fitting

    @property
    def extractor(self) -> Extractor:
        """The extractor as it scores."""
        network = self.folded_[EXTRACTOR]
        assert isinstance(network, Extractor)
        return network

    def build(self) -> dict[str, nn.Module]:
        """Return the extractor."""
        return {EXTRACTOR: make_extractor(self.options.extractor, self._weights)}

    def fit(self, normal: Images, unlabeled: Images | None = None, **how: Any) -> Self:
        """Learn as every detector does; raises `UserError` also where the extractor's weights cannot be had."""
        self._read = self.read_extractor()  # before anything is changed
        try:
            return super().fit(normal, unlabeled, **how)
        finally:
            self._read = None

    def read_extractor(self) -> Extractor:
        """Return the extractor that the options name; while fitting, as it was read at the beginning."""
        return self._read or read_extractor(self.options.extractor, self.options.weights)

    def load_state(self, tensors: Mapping[str, Tensor], unlabeled: bool = False) -> None:
        """Take what a training has made; an extractor that is not among it is the one that the options name."""
        prefix = f"{EXTRACTOR}/"
        if not any(name.startswith(prefix) for name in tensors):
            tensors = {**tensors, **network_state({EXTRACTOR: self.read_extractor()})}
        self._weights = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        super().load_state(tensors, unlabeled)
        network = self.networks_[EXTRACTOR]
        assert isinstance(network, Extractor)
        self.extractor_key_ = extractor_key(self.options.extractor, network)

    def spec(
        self,
        plan: Plan,
        name: str,
        build: Callable[[Plan, Recipe], Work],
        recipe: Recipe,
        relevant: Mapping[str, Any] | None = None,
    ) -> Spec:
        """Describe a fit as every detector does; it depends on the extractor's weights, too."""
        options = plan.options.of_training() if relevant is None else dict(relevant)
        return super().spec(plan, name, build, recipe, options | {"extractor": self.extractor_key_})
