"""The suggested latent size: the rule on published-like curves, the proxy of entropy, and the whole command."""

import csv

import numpy as np
import pytest
from helpers import make_images
from PIL import Image

from medad.cli.commands import main
from medad.detectors.contract.holdout import split_holdout
from medad.detectors.registry import make_detector
from medad.experiments.studies import latent_size
from medad.experiments.studies.latent_size import code_entropy, suggested, sweep

TINY = ("--preset", "tiny", "--device", "cpu", "--jobs", "1")


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ({1: 9.0, 2: 8.0, 4: 4.0, 8: 3.01, 16: 2.9, 32: 1.5, 128: 1.0}, 16),  # at most 1 + 0.25 * 8
        ({1: 9.0, 2: 3.0, 4: 4.0, 8: 2.0, 128: 1.0}, 2),
        ({1: 1.0, 2: 1.0, 128: 1.0}, 1),
        ({1: 1.0, 2: 0.5, 128: 2.0}, 1),  # it grows: the smallest is as good as any
    ],
)
def test_rule(errors, expected):
    assert suggested(errors) == expected


def test_entropy_of_independent_codes():
    codes = np.random.default_rng(0).standard_normal((4000, 3)) * [1.0, 2.0, 0.0]
    variances = codes.var(0, ddof=1) + 1e-3
    assert code_entropy(codes) == pytest.approx(0.5 * np.log(variances).sum(), abs=1e-2)
    assert code_entropy(codes[:, 1:2]) == pytest.approx(0.5 * np.log(variances[1]))


def test_every_size_is_the_fitted_detector_of_that_size():
    images = make_images(15, seed=1)
    train, held_out = split_holdout(images, 0.2, seed=3)
    options = {"form": "medianomaly", "seed": 3, "device": "cpu", "jobs": 1}
    found = sweep({d: make_detector("ae", "tiny", latent=d, **options) for d in (2, 8)}, train, held_out)
    assert [row.latent for row in found] == [2, 8]
    for row in found:
        detector = make_detector("ae", "tiny", latent=row.latent, **options).fit(train)
        scores = np.concatenate([p.scores["a_rec"] for p in detector.predict(held_out)])
        assert row.error == scores.mean()
        assert np.isfinite(row.entropy)


def test_command(phantoms, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(latent_size, "SIZES", (1, 4, 128))
    out = tmp_path / "deep" / "sizes.csv"
    assert main(["suggest-latent-size", str(phantoms), *TINY, "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.open()))
    assert [row["latent"] for row in rows] == ["1", "4", "128"]
    (chosen,) = [row["latent"] for row in rows if row["suggested"] == "1"]
    assert chosen == str(suggested({int(row["latent"]): float(row["error"]) for row in rows}))
    printed = capsys.readouterr()
    assert f"suggested: --options.latent {chosen}\n" in printed.out
    assert "heuristic" in printed.out
    assert "held out" in printed.err
    assert printed.out.count("<- suggested") == 1


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--options.latent", "8"], "this is what is looked for"),
        (["--options.nonsense", "8"], "no such option"),
        (["--size", "50"], "--size 50"),
        (["--jobs", "0"], "--jobs 0: must be at least 1"),
        (["--out", "."], "is a folder"),
        (["--preset", "best"], "--preset"),
    ],
)
def test_mistakes_are_said_in_one_line(phantoms, capsys, extra, message):
    assert main(["suggest-latent-size", str(phantoms), *TINY, *extra]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_too_few_images_are_refused(tmp_path, capsys):
    folder = tmp_path / "normal"
    folder.mkdir()
    for i, pixels in enumerate(make_images(2).pixels[:, 0]):
        Image.fromarray(pixels).save(folder / f"{i}.png")
    assert main(["suggest-latent-size", str(tmp_path), *TINY]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "too few normal images" in error
