"""The published recipe of DDAD-ASR, written down plainly: what medad's speed is compared with.

PIL images in memory, a DataLoader with one worker, eager fp32 with torch's default threads and
contiguous tensors, Adam as torch makes it, a look at the loss after every step, one network after
the other, and tests one image at a time. Nothing is slowed down on purpose: frozen networks get no
gradients, tests run in inference mode and without a loader's queue, and nobody waits for figures
that no step needs.
"""

import copy
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from medad.networks.autoencoder import AE


class Normalised(Dataset[Tensor]):
    """Images as float tensors (1, S, S) in [-1, 1]."""

    def __init__(self, images: Sequence[Image.Image]) -> None:
        self.images = images

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        """Return an image divided by 255, minus 0.5, divided by 0.5."""
        x = torch.from_numpy(np.array(self.images[index]))[None].float().div(255)
        return x.sub_(0.5).div_(0.5)


class WithForeignPatches(Dataset[tuple[Tensor, Tensor]]):
    """Images of which half have a square blended with another image, and the masks of the squares."""

    def __init__(self, images: Sequence[Image.Image]) -> None:
        self.plain = Normalised(images)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.plain)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return an image, (1, S, S), and its mask, (S, S), 1 in the square."""
        x = self.plain[index]
        size = x.shape[-1]
        mask = torch.zeros(size, size, dtype=torch.long)
        if np.random.rand() < 0.5:
            return x, mask
        other = self.plain[(index + np.random.randint(1, len(self))) % len(self)]
        half = np.random.randint(round(0.05 * size), round(0.2 * size))
        row, column = np.random.randint(int(0.1 * size), int(0.9 * size), 2)
        square = (slice(max(row - half, 0), row + half), slice(max(column - half, 0), column + half))
        mask[square] = 1
        alpha = np.random.rand()
        x[0][square] = (1 - alpha) * x[0][square] + alpha * other[0][square]
        return x, mask


def batches(dataset: Dataset, size: int) -> DataLoader:
    """Return shuffled batches; the last partial one is dropped."""
    return DataLoader(dataset, size, shuffle=True, num_workers=1, drop_last=True)


def plain(network: nn.Module) -> nn.Module:
    """Return a copy of one of medad's networks with torch's own linear layers in place of its fast ones."""
    network = copy.deepcopy(network)
    for parent in list(network.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.Linear):
                own = nn.Linear(layer.in_features, layer.out_features, layer.bias is not None)
                own.load_state_dict(layer.state_dict())
                setattr(parent, name, own)
    return network


def adam(network: nn.Module, lr: float, weight_decay: float = 0.0) -> torch.optim.Adam:
    """Return the optimiser of the recipe."""
    return torch.optim.Adam(network.parameters(), lr=lr, betas=(0.5, 0.999), weight_decay=weight_decay)


def ae_loss(network: AE, x: Tensor) -> Tensor:
    """Return the mean squared error."""
    return torch.mean((x - network(x).mean) ** 2)


def memae_loss(network: AE, x: Tensor) -> Tensor:
    """Return the mean squared error plus 0.0002 times the entropy of the memory weights."""
    mean, _, weights = network(x)
    entropy = torch.sum(-weights * torch.log(weights + 1e-12), dim=1).mean()
    return torch.mean((x - mean) ** 2) + 0.0002 * entropy


def aeu_loss(network: AE, x: Tensor) -> Tensor:
    """Return the squared error in units of the predicted variance plus the logarithm of the latter."""
    mean, log_variance, _ = network(x)
    return torch.mean(torch.exp(-log_variance) * (x - mean) ** 2) + torch.mean(log_variance)


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the focal loss, gamma 2, of softmax probabilities smoothed by 1e-5."""
    p = torch.softmax(logits, dim=1)
    of_target = p.gather(1, target[:, None])[:, 0]
    smoothed = (1 - 1e-5) * of_target + 1e-5 * (1 - of_target) + 1e-5
    return torch.mean(-((1 - smoothed) ** 2) * torch.log(smoothed))


def discrepancy_maps(ndm: Sequence[nn.Module], udm: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Return A_intra and A_inter, (n, 2, S, S), of a batch (n, 1, S, S)."""
    known = torch.cat([network(x).mean for network in ndm], dim=1)
    unknown = torch.cat([network(x).mean for network in udm], dim=1)
    a_intra = torch.std(known, dim=1, unbiased=False)
    a_inter = torch.abs(known.mean(1) - unknown.mean(1))
    return torch.stack([a_intra, a_inter], dim=1)


def train_autoencoder(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    epoch: Iterable[Tensor],
    loss_of: Callable[..., Tensor] = ae_loss,
) -> list[float]:
    """Make a step for every batch; return the losses."""
    losses = []
    network.train()
    for x in epoch:
        loss = loss_of(network, x)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def train_refiner(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    epoch: Iterable[tuple[Tensor, Tensor]],
    maps_of: Callable[[Tensor], Tensor],
) -> list[float]:
    """Make a step of ASR-Net for every batch of images and masks; return the losses."""
    losses = []
    network.train()
    for x, mask in epoch:
        loss = focal_loss(network(maps_of(x)), mask)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


@torch.inference_mode()
def reconstruction_scores(network: nn.Module, images: Iterable[Tensor]) -> list[float]:
    """Return the mean squared residual of each image, one after the other."""
    network.eval()
    return [torch.mean((x[None] - network(x[None]).mean) ** 2).item() for x in images]


@torch.inference_mode()
def refined_scores(network: nn.Module, images: Iterable[Tensor], maps_of: Callable[[Tensor], Tensor]) -> list[float]:
    """Return the mean of the refined map of each image, one after the other."""
    network.eval()
    return [torch.softmax(network(maps_of(x[None])), dim=1)[0, 1].mean().item() for x in images]
