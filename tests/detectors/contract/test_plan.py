"""A part of a training's images is a training of its own."""

from dataclasses import replace

import numpy as np
import torch
from helpers import make_images

from medad.detectors.contract.plan import Plan, TrainingData
from medad.training.pixels import to_unit


def plan_of(tmp_path, *counts):
    sets = [make_images(count, seed=count) for count in counts]
    for i, images in enumerate(sets):
        np.save(tmp_path / f"{i}.npy", images.pixels)
    files = tuple(tmp_path / f"{i}.npy" for i in range(len(sets)))
    patients = tuple(f"{i}{k}" for i, count in enumerate(counts) for k in range(count))
    data = TrainingData(files, counts, tuple(images.fingerprint for images in sets), patients)
    return Plan(None, data, tmp_path), np.concatenate([images.pixels for images in sets])


def images_of(plan):
    return plan.images()(torch.arange(plan.count))


def test_a_part_has_its_own_images(tmp_path):
    plan, pixels = plan_of(tmp_path, 6, 4)
    part = plan.part([0, 5, 7])
    assert part.data.counts == (2, 1) and part.count == 3 and part.has_unlabeled
    assert part.data.patients == ("00", "05", "11")
    assert torch.equal(images_of(part), to_unit(pixels[[0, 5, 7]], torch.device("cpu")))
    assert torch.equal(images_of(part.normal), images_of(part)[:2])
    assert part.normal.data.patients == ("00", "05")


def test_a_part_of_a_part(tmp_path):
    plan, _ = plan_of(tmp_path, 6, 4)
    part = plan.part([1, 2, 5, 7, 8]).part([0, 2, 4])
    assert part.data.counts == (2, 1) and part.data.rows == (1, 5, 8)
    assert torch.equal(images_of(part), images_of(plan)[[1, 5, 8]])


def test_a_part_is_known_by_its_images(tmp_path):
    plan, _ = plan_of(tmp_path, 6, 4)
    parts = [plan.part(rows).data.fingerprints for rows in ([0, 5, 7], [0, 4, 7], [0, 5, 8])]
    whole = plan.data.fingerprints
    assert parts[0] == plan.part([0, 5, 7]).data.fingerprints
    assert len({part[0] for part in parts} | {whole[0]}) == 3 and parts[0][0] == parts[2][0]
    assert len({part[1] for part in parts} | {whole[1]}) == 3 and parts[0][1] == parts[1][1]
    assert plan.part([0, 5, 7]).normal.data.fingerprints == parts[0][:1]


def test_without_rows_nothing_changes(tmp_path):
    plan, pixels = plan_of(tmp_path, 3)
    assert plan.normal == replace(plan) and not plan.has_unlabeled
    assert torch.equal(images_of(plan), to_unit(pixels, torch.device("cpu")))
