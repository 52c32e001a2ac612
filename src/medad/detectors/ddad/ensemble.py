"""The networks of one DDAD: two modules of reconstruction networks, and ASR-Nets on what these make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from medad.detectors.ddad.asr_net import ASRNet
from medad.detectors.ddad.discrepancy import discrepancies, ensemble_residual, stack, together
from medad.detectors.ddad.options import DDADOptions
from medad.detectors.ddad.refinement import inputs_of, refined_from
from medad.detectors.reconstruction.backbones import make_network
from medad.networks.autoencoder import Reconstruction

RAW = ("a_rec", "a_intra", "a_inter")  # maps before refinement
RAW_SCORE = "a_rec_ensemble"  # the mean of the first

Networks = Mapping[str, nn.Module]


@dataclass(frozen=True)
class Ensemble:
    """The networks of one DDAD.

    Attributes
    ----------
    options : DDADOptions
        Of the method.
    has_unlabeled : bool
        Whether there is a UDM.
    prefix : str
        With what the names of its networks begin.
    """

    options: DDADOptions
    has_unlabeled: bool
    prefix: str = ""

    @property
    def modules(self) -> dict[str, list[str]]:
        """The names of the networks of each module: K, with MC dropout one. The UDM needs unlabeled images."""
        count = 1 if self.options.mc_passes else self.options.ensemble_size
        modules = ["ndm", "udm"] if self.has_unlabeled else ["ndm"]
        return {module: [f"{self.prefix}{module}_{k + 1}" for k in range(count)] for module in modules}

    @property
    def members(self) -> list[str]:
        """The names of the networks of all modules."""
        return [name for names in self.modules.values() for name in names]

    @property
    def refiners(self) -> dict[str, str]:
        """The names of the ASR-Nets, by that of the map that each makes."""
        maps = ["r_intra", "r_dual"] if self.has_unlabeled else ["r_intra"]
        return {name: f"{self.prefix}{name}" for name in maps} if self.options.refine else {}

    @property
    def maps(self) -> list[str]:
        """The names of the maps, that which the paper reports last."""
        return [*RAW[: 3 if self.has_unlabeled else 2], *self.refiners]

    def build(self) -> dict[str, nn.Module]:
        """Return all networks, freshly made."""
        o = self.options
        networks: dict[str, nn.Module] = {name: make_network(o.backbone, o) for name in self.members}
        refiners = {name: ASRNet(len(inputs_of(of, o)), o.refine_width) for of, name in self.refiners.items()}
        return networks | refiners

    def reconstruct(self, networks: Networks, x: Tensor) -> list[Reconstruction]:
        """Return what the networks or passes of each module make of images, tensors (K, n, C, S, S)."""
        return [self._reconstruct([networks[name] for name in names], x) for names in self.modules.values()]

    def _reconstruct(self, networks: list[nn.Module], x: Tensor) -> Reconstruction:
        passes = self.options.mc_passes
        if not passes:
            return stack([network(x) for network in networks])
        found = [networks[0](image.expand(passes, -1, -1, -1)) for image in x.split(1)]  # all passes of an image
        return stack(found, dim=1)

    def analyse(self, networks: Networks, x: Tensor) -> dict[str, Tensor]:
        """Return all maps of images, (n, S, S) each."""
        return self.maps_of(networks, x, self.reconstruct(networks, x))

    def maps_of(self, networks: Networks, x: Tensor, made: list[Reconstruction]) -> dict[str, Tensor]:
        """Return the same, given what the modules made of the images."""
        maps = raw_maps(x, made, self.options)
        return maps | self.refined(networks, maps)

    def refined(self, networks: Networks, maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the maps that the ASR-Nets make of others."""
        return {
            of: cast(ASRNet, networks[name]).refine(refined_from(maps, of, self.options))
            for of, name in self.refiners.items()
        }


def raw_maps(x: Tensor, made: list[Reconstruction], options: DDADOptions) -> dict[str, Tensor]:
    """Return the maps before refinement, given what the modules made of the images."""
    return {RAW[0]: ensemble_residual(x, made[0])} | discrepancies(made, options.bessel)


def maps_by_all(ensembles: Sequence[Ensemble], networks: Networks, x: Tensor) -> dict[str, Tensor]:
    """Return the maps of images by all networks as one ensemble; refined are means over the ensembles' own."""
    made = [ensemble.reconstruct(networks, x) for ensemble in ensembles]
    refined = [one.maps_of(networks, x, some) for one, some in zip(ensembles, made, strict=True)]
    maps = raw_maps(x, [together(list(modules)) for modules in zip(*made, strict=True)], ensembles[0].options)
    return maps | {of: torch.stack([some[of] for some in refined]).mean(0) for of in ensembles[0].refiners}
