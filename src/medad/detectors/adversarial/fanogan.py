"""f-AnoGAN: a GAN of normal images, and an encoder that finds the code of an image at once."""

from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from medad.detectors.adversarial.gan_encoder import (
    ENCODERS,
    WGAN,
    EncoderOptions,
    encoder_phase,
    make_encoder,
    squared_distance,
)
from medad.detectors.adversarial.inversion import SearchOptions, anogan_residual, invert, starting_points
from medad.detectors.adversarial.wgan import make_wgan, wgan_phase
from medad.detectors.contract.detector import Detector
from medad.detectors.contract.plan import Plan
from medad.errors import check_choice
from medad.networks.wgan import Critic
from medad.training.spec import Spec

SEARCH = "anogan_search"
SCORES = ("f_anogan", "a_rec", "feature_residual", "critic_output", "code_residual", SEARCH)


@dataclass(frozen=True)
class FAnoGANOptions(SearchOptions, EncoderOptions):
    """Options of f-AnoGAN; the defaults are preset ``paper``.

    Attributes
    ----------
    score : str
        What ``pred_score`` is: ``"f_anogan"``, another score's name, or ``"anogan_search"``: codes are then searched
        for as AnoGAN does, and no encoder is trained.
    """

    scoring = SearchOptions.scoring | {"score"}

    score: str = "f_anogan"


class FAnoGAN(Detector):
    """Residual of images and of critic features against what a GAN of normal images generates.

    Stage 1 trains generator G and critic D (WGAN with gradient penalty), stage 2 an encoder E with both frozen.
    An image x is compared with x̂ = G(E(x)), with `score` ``"anogan_search"`` with the generated image that an
    iterative search finds.

    Scores: ``a_rec``, the mean squared residual A_R; ``feature_residual``, A_D = mean (f(x) - f(x̂))^2 of the
    critic's features; ``f_anogan`` = A_R + kappa A_D for ``"izi_f"``, A_R for the other encoders;
    ``critic_output`` -D(x); ``code_residual`` mean (E(x) - E(x̂))^2; with the search instead of the last and
    ``f_anogan``, ``anogan_search``, AnoGAN's weighted sum. The map, ``a_rec``, is the absolute residual whatever
    the score.

    Differs from the paper: 20,000 steps of the generator instead of epochs over a data set of unknown size; batch
    norms keep PyTorch's momentum and epsilon; further levels for images of 128 and 256 pixels have 512 channels
    and end with 4 x 4 maps; start and epsilon of RMSprop are PyTorch's; the gradient's norm is over all pixels (one
    public re-implementation takes it over one axis); the search's rates are those of Zenati et al., as shares of its
    length, and its starting points are the same for all images.

    References
    ----------
    Schlegl, Seeböck, Waldstein, Langs, Schmidt-Erfurth, Medical Image Analysis 54 (2019) 30-44.
    """

    name = "fanogan"
    options_type = FAnoGANOptions
    meanings = {
        "a_rec": "difference between image and generated image",
        "feature_residual": "the same in the critic's features",
        "critic_output": "how unlike normal images the critic finds it",
        "code_residual": "difference between the codes of image and generated image",
        "f_anogan": "a_rec and feature_residual together",
        "anogan_search": "difference from the generated image that a search found, in pixels and features",
    }
    threads = 2
    presets = {
        "paper": {},
        "standard": {"holdout": 0.1},
        "quick": {"width": 8, "batch_size": 16, "steps": 250, "critic_steps": 2, "lr": 1e-3}
        | {"encoder_steps": 500, "encoder_lr": 1e-3, "search_steps": 100},
        "tiny": {"width": 1, "latent": 4, "batch_size": 4, "steps": 2, "critic_steps": 2}
        | {"encoder_steps": 2, "search_steps": 2},
    }

    def __init__(self, options: FAnoGANOptions | None = None, **settings: Any) -> None:
        super().__init__(options, **settings)
        check_choice("encoder", self.options.encoder, ENCODERS)
        check_choice("score", self.options.score, SCORES)

    @property
    def searches(self) -> bool:
        """Whether codes are searched for, without an encoder."""
        return self.options.score == SEARCH

    def build(self) -> dict[str, nn.Module]:
        """Return ``generator``, ``critic`` and, unless codes are searched for, ``encoder``."""
        encoder: dict[str, nn.Module] = {} if self.searches else {"encoder": make_encoder(self.options)}
        return make_wgan(self.options) | encoder

    def stages(self, plan: Plan) -> list[list[Spec]]:
        """Return the phase of the GAN, then the encoder's."""
        o, plan = plan.options, plan.normal
        stages = [[self.spec(plan, WGAN, wgan_phase, o.gan_recipe(plan.count), o.of_wgan())]]
        if not self.searches:
            stages.append([self.spec(plan, "encoder", encoder_phase, o.encoder_recipe(plan.count))])
        return stages

    def analyse(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return all scores and the absolute residual of a batch."""
        o, critic = self.options, cast(Critic, self.folded_["critic"])
        z = None if self.searches else self.folded_["encoder"](x)
        x_hat = self._searched(x) if z is None else self.folded_["generator"](z)
        f, f_hat = critic.features(x), critic.features(x_hat)
        scores = {
            "a_rec": squared_distance(x, x_hat),
            "feature_residual": squared_distance(f, f_hat),
            "critic_output": -critic.judged(f),
        }
        if z is None:
            scores[SEARCH] = anogan_residual(x, x_hat, f, f_hat, o.feature_weight)
        else:
            scores["code_residual"] = squared_distance(z, self.folded_["encoder"](x_hat))
            scores["f_anogan"] = scores["a_rec"] + o.kappa * scores["feature_residual"] * (o.encoder == "izi_f")
        residual = (x - x_hat).abs().mean(1)
        return scores | {"pred_score": scores[o.score]}, {"a_rec": residual, "anomaly_map": residual}

    def _searched(self, x: Tensor) -> Tensor:
        o, (generator, critic) = self.options, (self.folded_[name] for name in ("generator", "critic"))
        starts = starting_points(o, o.latent, self.seed, x.device)
        return invert(x, generator, cast(Critic, critic).features, starts, o.search_steps, o.feature_weight)
