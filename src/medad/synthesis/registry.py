"""All syntheses of anomalies by name, known without importing torch."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from medad.errors import check_choice

if TYPE_CHECKING:
    from medad.synthesis.contract import Synthesiser


@dataclass(frozen=True)
class SynthesisInfo:
    """What is known about a synthesis before it is loaded.

    Attributes
    ----------
    name : str
        As the command line has it.
    where : str
        Module, in this package, and the function that makes it: ``"MODULE:FUNCTION"``. It takes a kind of label and
        settings of its own.
    about : str
        What it does, in a few words.
    labels : tuple of str
        Kinds of labels that it can give, the usual one first.
    foreign : bool
        Whether its sources are other images; else they are the images themselves.
    """

    name: str
    where: str
    about: str
    labels: tuple[str, ...] = ("binary",)
    foreign: bool = True

    def load(self) -> "Callable[..., Synthesiser]":
        """Import the function that makes it."""
        module, _, function = self.where.partition(":")
        return getattr(import_module(f"medad.synthesis.{module}"), function)


_BLENDED = ("continuous", "binary", "intensity", "logistic")
_DIFFERENT = ("logistic", "binary", "intensity")
_ROWS = (
    SynthesisInfo("fpi", "fpi:make_fpi", "patches of another image, blended in", _BLENDED),
    SynthesisInfo("pii", "pii:make_pii", "gradients of patches of another image, blended in", _BLENDED),
    SynthesisInfo("nsa", "nsa:make_nsa", "scaled and moved patches of another image, without edges", _DIFFERENT),
    SynthesisInfo(
        "cutpaste",
        "cutpaste_segments:make_cutpaste_segments",
        "patches of the same image, with hard edges",
        ("binary", "logistic", "intensity"),
        foreign=False,
    ),
    SynthesisInfo("asr", "foreign_squares:make_foreign_squares", "a square of another image in half of the images"),
    SynthesisInfo("perlin", "draem:make_perlin", "textures that shine through Perlin noise", foreign=False),
)
SYNTHESES = {info.name: info for info in _ROWS}


def make_synthesis(name: str, label: str | None = None, **settings: Any) -> "Synthesiser":
    """Return the synthesis `name`, ready to be called.

    Parameters
    ----------
    name : str
        A key of :data:`SYNTHESES`.
    label : str, optional
        The kind of label; the first that the synthesis knows by default.
    **settings
        Of the synthesis: mostly those of :class:`medad.synthesis.patches.PatchSampler`, such as ``background=None``.

    Raises
    ------
    OptionError
        If there is no such synthesis, or it has no such label.
    """
    check_choice("synthesis", name, SYNTHESES)
    info = SYNTHESES[name]
    label = label or info.labels[0]
    check_choice("label", label, info.labels)
    return info.load()(label, **settings)
