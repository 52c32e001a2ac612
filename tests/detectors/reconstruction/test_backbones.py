"""The forms of AE, MemAE and AE-U: recipes number by number."""

import pytest
import torch

from medad.detectors.registry import make_detector
from medad.errors import UserError


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("method", "form", "count"),
    [
        ("ae", "ddad", 4_487_248),
        ("ae", "medianomaly", 2_351_184),
        ("memae", "ddad", 4_487_648),
        ("aeu", "ddad", 4_487_504),
    ],
)
def test_parameter_counts(method, form, count):
    detector = make_detector(method, "paper", device="cpu", form=form)
    assert parameters(detector.build()[method]) == count


@pytest.mark.parametrize("method", ["ae", "memae", "aeu"])
def test_recipes(method):
    ddad = make_detector(method, "paper", device="cpu").options
    assert (ddad.form, ddad.lr, ddad.beta1, ddad.beta2) == ("ddad", 5e-4, 0.5, 0.999)
    assert (ddad.epochs, ddad.batch_size, ddad.keep_last, ddad.hidden) == (250, 64, False, 2048)
    other = make_detector(method, "paper", device="cpu", form="medianomaly").options
    assert (other.form, other.lr, other.beta1, other.beta2) == ("medianomaly", 1e-3, 0.9, 0.999)
    assert (other.epochs, other.batch_size, other.keep_last, other.hidden) == (250, 64, True, 1024)
    assert (other.latent, other.weight_decay) == (16, 0.0)


def test_what_is_given_goes_before_the_form():
    assert make_detector("ae", "tiny", device="cpu", form="medianomaly", lr=0.01).options.lr == 0.01
    assert make_detector("ae", "tiny", device="cpu", form="medianomaly").options.hidden == 32


def test_memory_shrinks_as_its_form_says():
    networks = [make_detector("memae", "paper", device="cpu", form=form).build() for form in ("ddad", "medianomaly")]
    assert [network["memae"].mem_rep.shrink for network in networks] == [0.0, 0.0025]


def test_an_unknown_form_is_refused():
    with pytest.raises(UserError, match="form='original': choose from ddad, medianomaly"):
        make_detector("ae", device="cpu", form="original")
