"""Digests of the images that a run has learned from come back, and nothing where nothing is known."""

import torch

from medad.training.seen_images import SEEN_FILE, read_seen, write_seen


def test_digests_come_back(tmp_path):
    seen = {"trained": torch.tensor([-3, 5, 7]), "held_out": torch.empty(0, dtype=torch.int64)}
    write_seen(tmp_path, seen)
    back = read_seen(tmp_path)
    assert list(back) == ["held_out", "trained"] and all(torch.equal(back[name], seen[name]) for name in seen)


def test_where_nothing_is_known_there_is_no_file(tmp_path):
    write_seen(tmp_path, {"trained": torch.tensor([1])})
    write_seen(tmp_path, {})
    assert not (tmp_path / SEEN_FILE).exists() and read_seen(tmp_path) == {}
