"""Rank your own images: a folder of normal ones to learn from, a folder of unlabeled ones to look through.

    python examples/own_data.py normal/ unlabeled/ ranked.csv

Nothing is labelled, so this measures no accuracy: it brings the images that a reader should see first to the top.
"""

import argparse
import csv
from pathlib import Path

import numpy as np

import medad


def main(normal: Path, unlabeled: Path, ranked: Path, preset: str, size: int) -> None:
    """Write the files of `unlabeled` into `ranked`, the most abnormal first."""
    known = medad.read_images(normal, size)
    archive = medad.read_images(unlabeled, size)
    detector = medad.fit(known, archive, method="ddad", preset=preset)
    table = medad.score(detector, archive)

    scores = table.columns["pred_score"]
    # How many of the held-out normal images score as high: a small share is what calls for a look.
    held_out = detector.held_out_scores_
    with ranked.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "score", "share_of_normal_above"])
        for i in np.argsort(-scores):
            above = "" if held_out is None else f"{np.mean(held_out >= scores[i]):.3f}"
            writer.writerow([archive.paths[i], f"{scores[i]:.6g}", above])
    print(f"{len(archive)} images ranked: {ranked}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("normal", type=Path)
    parser.add_argument("unlabeled", type=Path)
    parser.add_argument("ranked", type=Path)
    parser.add_argument("--preset", default="standard", help="quick for a first look")
    parser.add_argument("--size", type=int, default=64)
    main(**vars(parser.parse_args()))
