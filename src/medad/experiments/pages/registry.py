"""Every page that ``medad results`` prints: one row each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from medad.experiments.pages import (
    audit,
    backbones,
    dicom,
    experiments,
    fidelity,
    methods,
    overview,
    phantom,
    promises,
    refinement,
    select,
    slides,
    standard,
    steady,
    stress,
    synthetic,
)
from medad.experiments.reproduce.ocssl import page as ocssl
from medad.experiments.reproduce.pitfalls import page as pitfalls
from medad.experiments.reproduce.pitfalls.stored import STORED as OF_PITFALLS


@dataclass(frozen=True)
class Sources:
    """What pages are printed from: the root of the stored results, and the folder of data sets, if given."""

    stored: Path
    data: Path | None = None

    def images(self, dataset: str) -> Path:
        """Return the folder of a data set, which is known to be there."""
        assert self.data is not None
        return self.data / dataset


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes
    ----------
    name : str
        What users call it.
    file : str
        Where it lies, from the folder that holds ``docs/``.
    needs : str
        Pattern, below the stored results, of what it is printed from.
    text : callable
        Returns the page in Markdown.
    pictures : callable
        Returns the figures that lie beside it, by name.
    marks : pair of str, optional
        Lines of the page between which the text is put; without them it is the whole page.
    images : str
        Data set whose images are needed, too.
    """

    name: str
    file: str
    needs: str
    text: Callable[[Sources], str]
    pictures: Callable[[Sources], Mapping[str, bytes]] = field(default=lambda sources: {})
    marks: tuple[str, str] | None = None
    images: str = ""


def _backbones(dataset: str) -> Page:
    return Page(
        dataset, f"docs/results/{dataset}.md", f"{dataset}/ddad*/seed*", lambda s: backbones.page(dataset, s.stored)
    )


def _methods(name: str, dataset: str, preset: str) -> Page:
    return Page(
        name, f"docs/results/{name}.md", f"{dataset}/*/seed*", lambda s: methods.page(dataset, s.stored, preset)
    )


def _from_scores(name: str) -> Page:
    return Page(
        name,
        f"docs/results/reproduce/{name}.md",
        f"{experiments.FOLDER}/{name}.yaml",
        lambda s: experiments.from_scores(name, s.stored),
    )


def _from_runs(name: str, dataset: str = "brain_tumor") -> Page:
    return Page(
        name,
        f"docs/results/reproduce/{name}.md",
        f"{dataset}/ddad*/seed*",
        lambda s: experiments.from_runs(name, s.stored, s.images(dataset)),
        images=dataset,
    )


PAGES = (
    _backbones("brain_tumor"),
    _backbones("brain_tumor_masks"),
    _backbones("fundus_glaucoma"),
    _backbones("pediatric_cxr"),
    _methods("brain_tumor_methods", "brain_tumor", "paper"),
    _methods("brain_tumor_quick_methods", "brain_tumor", "quick"),
    Page(
        "refinement",
        "docs/results/refinement.md",
        refinement.STORED,
        lambda s: refinement.page(s.stored),
        lambda s: refinement.pictures(s.stored),
    ),
    Page(
        "ocssl",
        "docs/results/ocssl.md",
        "ocssl/*/*.yaml",
        lambda s: ocssl.page(s.stored),
        lambda s: ocssl.pictures(s.stored),
    ),
    Page(
        "promises",
        "docs/results/promises.md",
        promises.STORED,
        lambda s: promises.page(s.stored),
        lambda s: promises.pictures(s.stored),
    ),
    Page(
        "pitfalls",
        "docs/results/pitfalls.md",
        OF_PITFALLS,
        lambda s: pitfalls.page(s.stored),
        lambda s: pitfalls.pictures(s.stored),
    ),
    Page(
        "stress",
        "docs/results/stress.md",
        stress.STORED,
        lambda s: stress.page(s.stored),
        lambda s: stress.pictures(s.stored),
    ),
    Page("steady", "docs/results/steady.md", steady.STORED, lambda s: steady.page(s.stored)),
    Page("ddad_standard", "docs/results/ddad_standard.md", standard.STORED, lambda s: standard.page(s.stored)),
    Page("select", "docs/results/select.md", select.STORED, lambda s: select.page(s.stored)),
    Page("mvtec_screw", "docs/results/mvtec_screw.md", "mvtec_screw/*/seed*", lambda s: slides.page(s.stored)),
    Page("synthetic", "docs/results/synthetic.md", synthetic.STORED, lambda s: synthetic.page(s.stored)),
    Page("audit", "docs/results/audit.md", audit.STORED, lambda s: audit.page(s.stored)),
    Page("phantom", "docs/results/phantom.md", "phantom*/*/seed*", lambda s: phantom.page(s.stored)),
    _from_scores("fig6"),
    _from_scores("table4"),
    _from_scores("table5"),
    _from_scores("table6"),
    _from_runs("table2"),
    _from_runs("table3"),
    _from_runs("fig8"),
    Page("dicom", "docs/dicom.md", "*", lambda s: dicom.tables(), marks=dicom.MARKS),
    Page("methods", "docs/methods.md", f"{fidelity.DATASET}/*/seed*", lambda s: fidelity.ledger(s.stored)),
    Page("overview", "README.md", "*/ddad*/seed*", lambda s: overview.overview(s.stored), marks=overview.MARKS),
)
