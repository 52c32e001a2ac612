"""The VAE on the autoencoder of DDAD, and what all variational networks share."""

from torch import Tensor

from medad.networks.autoencoder import AE, Reconstruction
from medad.networks.linear import Linear


def sampled(mu: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Return mu + exp(log_variance / 2) * noise, (n, latent)."""
    return mu + (log_variance / 2).exp() * noise


def kl_divergence(mu: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mu, exp(log_variance)) || N(0, 1)) in nats, mean over the latent dimensions, (n,)."""
    return -0.5 * (1 + log_variance - mu.square() - log_variance.exp()).mean(1)


class VAE(AE):
    """AE whose code is a normal distribution (Kingma and Welling, ICLR 2014; MedIAnomaly's layers).

    Parameters
    ----------
    size, channels, width
        See :class:`medad.networks.autoencoder.AE`.
    hidden, latent : int
        Sizes of the linear layers; the last of the encoder has 2 * `latent` outputs.
    """

    def __init__(self, size: int = 64, channels: int = 1, width: int = 1, hidden: int = 1024, latent: int = 16) -> None:
        super().__init__(size, channels, width, hidden, latent)
        self.linear_enc[-1] = Linear(hidden, 2 * latent)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of the codes of `x`, (n, latent) each, fp32."""
        mu, log_variance = self.encode(x).float().chunk(2, dim=1)
        return mu, log_variance

    def forward(self, x: Tensor) -> Reconstruction:
        """Reconstruct `x`, (n, C, S, S) in [-1, 1], from the means of its codes."""
        return Reconstruction(self.decode(self.posterior(x)[0]))

    def negative_elbo(self, x: Tensor, noise: Tensor, kl_weight: float) -> Tensor:
        """Return mean (x - x_hat)^2 + `kl_weight` * mean KL, the codes sampled with `noise`, (n, latent)."""
        mu, log_variance = self.posterior(x)
        out = self.decode(sampled(mu, log_variance, noise))
        return (x - out).square().mean() + kl_weight * kl_divergence(mu, log_variance).mean()
