"""The reference and medad are two implementations of one recipe: same losses, same maps, same scores.

Both compute in fp32 but round in another order (memory layout, fused optimiser, other products), and training makes
much of little: Adam divides by the size of the gradient, so a difference of 1e-7 is one of 1e-3 after ten steps, for
any two ways to compute. So the tolerance is measured. It is NOISE_FACTOR times what the reference's own losses differ
by, up to that step, when its images are changed by 1e-7 (the largest of three draws), and not less than FLOOR of the
loss. Over seeds our losses differ by 1 to 3 times that noise, once by 10; a learning rate 10 % too high by hundreds.
ASR-Net, whose maps both are given, is steadier: its losses differ by 1e-4, a tenth of REFINER_TOLERANCE.
"""

import copy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import stages_of

from benchmarks import reference_loop as loop
from benchmarks.images import as_pil, make_pixels, make_set
from benchmarks.pieces import DualOnly, OneRefiner
from medad.detectors.contract.plan import TrainingData
from medad.detectors.ddad.options import DDADOptions
from medad.training.checkpoint import load_tensors, network_state, save_tensors
from medad.training.job import finished_path
from medad.training.phase import Phase
from medad.training.seeds import derive_seed
from medad.training.spec import Spec, epoch_order
from medad.training.workers import train_phases

COUNT, BATCH, STEPS = 32, 8, 20
LR = 5e-4
NOISE_FACTOR, FLOOR = 20, 1e-4
REFINER_TOLERANCE = 1e-3
LOSSES = {"ae": loop.ae_loss, "memae": loop.memae_loss, "aeu": loop.aeu_loss}


def make_detector(backbone: str = "ae") -> DualOnly:
    options = DDADOptions(
        backbone=backbone, hidden=32, batch_size=BATCH, steps=STEPS, refine_width=16, refine_steps=STEPS
    )
    detector = DualOnly(options, device="cpu")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return detector.untrained(unlabeled=True)


def make_stages(detector: DualOnly, folder: Path) -> list[list[Spec]]:
    np.save(folder / "normal.npy", make_pixels(COUNT, 64))
    for name in OneRefiner(detector.options, True).members:
        save_tensors(finished_path(folder, name), network_state({name: detector.networks_[name]}))
    files = (folder / "normal.npy",) * 2
    return stages_of(detector, TrainingData(files, (COUNT, COUNT), ("normal", "unlabeled")), folder)


def start(spec: Spec) -> tuple[Phase, torch.nn.Module]:
    """Return a phase as it begins and a plain copy of its network."""
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(spec.seed, "init"))
        phase = spec.make()
    return phase, loop.plain(phase.networks[spec.name]).to(memory_format=torch.contiguous_format)


def batches_of(spec: Spec) -> list[torch.Tensor]:
    """Return the batches that the phase sees, made by the reference."""
    images = loop.Normalised(as_pil(make_pixels(COUNT, 64)))
    order = torch.cat([epoch_order(COUNT, spec.seed, epoch) for epoch in range(STEPS)])
    return [torch.stack([images[int(i)] for i in rows]) for rows in order.split(BATCH)[:STEPS]]


@pytest.mark.parametrize("backbone", LOSSES)
def test_networks_follow_the_same_losses(tmp_path, backbone):
    spec = make_stages(make_detector(backbone), tmp_path)[0][0]
    begin, batches = start(spec)[1], batches_of(spec)
    (tmp_path / "out").mkdir()
    train_phases([spec], tmp_path / "out", 1)
    ours = load_tensors(finished_path(tmp_path / "out", spec.name))[0]["losses"].numpy()

    def train(batches: list[torch.Tensor], lr: float = LR) -> np.ndarray:
        network = copy.deepcopy(begin)
        return np.array(loop.train_autoencoder(network, loop.adam(network, lr), batches, LOSSES[backbone]))

    reference = train(batches)
    noise = torch.Generator().manual_seed(0)
    shaken = [[x + 1e-7 * torch.randn(x.shape, generator=noise) for x in batches] for _ in range(3)]
    differences = np.max([np.abs(train(each) - reference) for each in shaken], axis=0)
    tolerance = NOISE_FACTOR * np.maximum.accumulate(differences) + FLOOR * np.abs(reference)
    assert (np.abs(ours - reference) <= tolerance).all()
    assert not (np.abs(train(batches[:10], 1.1 * LR) - reference[:10]) <= tolerance[:10]).all()


def test_refiners_follow_the_same_losses(tmp_path):
    spec = make_stages(make_detector(), tmp_path)[1][0]
    phase, network = start(spec)
    batches = [phase.draw(epoch_order(COUNT, spec.seed, epoch)[:8]) for epoch in range(STEPS)]
    ours = [phase.step(batch).item() for batch in batches]

    contiguous = [(maps.contiguous(), masks.long()) for maps, masks in batches]
    reference, other = (
        loop.train_refiner(net, loop.adam(net, lr, 1e-4), contiguous, lambda maps: maps)
        for net, lr in ((network, 1e-4), (copy.deepcopy(network), 1.1e-4))
    )
    np.testing.assert_allclose(ours, reference, rtol=REFINER_TOLERANCE)
    assert not np.allclose(other, reference, rtol=REFINER_TOLERANCE)


def test_scores_are_the_same():
    detector = make_detector()
    pixels = make_pixels(5, 64)
    ours = np.concatenate([batch.scores["r_dual"] for batch in detector.predict(make_set(pixels))])

    modules = [
        [loop.plain(detector.networks_[name]) for name in names] for names in detector.ensembles[0].modules.values()
    ]
    images = loop.Normalised(as_pil(pixels))
    maps_of = partial(loop.discrepancy_maps, *modules)
    reference = loop.refined_scores(loop.plain(detector.networks_["r_dual"]), list(images), maps_of)
    np.testing.assert_allclose(ours, reference, rtol=1e-5)


def test_foreign_patches_are_blended_into_about_half_of_the_images():
    pixels = make_pixels(200, 64)
    images, blended = loop.Normalised(as_pil(pixels)), loop.WithForeignPatches(as_pil(pixels))
    np.random.seed(0)
    changed = 0
    for i in range(200):
        x, mask = blended[i]
        inside = mask.bool()[None]
        assert torch.equal(x[~inside], images[i][~inside])
        changed += bool(mask.any())
        rows = mask.any(1).sum()
        assert rows == 0 or 3 <= rows <= 24
    assert 70 < changed < 130


def test_plain_networks_have_torch_s_own_layers_and_the_same_weights():
    network = make_detector().networks_["ndm_1"]
    plain = loop.plain(network)
    assert {type(m) for m in plain.modules() if isinstance(m, torch.nn.Linear)} == {torch.nn.Linear}
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), plain.state_dict().values(), strict=True)
    )
