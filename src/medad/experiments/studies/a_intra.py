"""Why A_intra of AE-U differs from the published figure: other readings of its formula, on the members of a run.

``python -m medad.experiments.studies.a_intra RUN DATA`` prints a section in Markdown. Nothing is chosen by it: it shows
that no reading of the formula explains the difference.
"""

import math
from pathlib import Path

from torch import Tensor

from medad.detectors.ddad.discrepancy import a_intra, mean_variance
from medad.evaluation.metrics import auroc
from medad.experiments.command import run_command, study_parser
from medad.experiments.deduplicated import split_told
from medad.experiments.printed import printed_by
from medad.experiments.stored import method_folder
from medad.experiments.studies.networks import labelled_test_images, load, scores
from medad.networks.autoencoder import AEU, Reconstruction
from medad.reports.markdown import markdown_table
from medad.training.run_folder import read_run


def readings(ndm: Reconstruction, udm: Reconstruction) -> dict[str, Tensor]:
    """Return A_intra as we read it and in other readings, each a map (n, S, S)."""
    own, other = mean_variance(ndm), mean_variance(udm)
    assert own is not None and other is not None and ndm.log_variance is not None
    spread = ndm.mean.std(0, correction=0)
    return {
        "std / sigma of the NDM (ours)": a_intra(ndm),
        "divisor K - 1": a_intra(ndm, bessel=True),
        "std / mean of the sigmas": (spread / (ndm.log_variance / 2).exp().mean(0)).mean(1),
        "std / sigma of the UDM": (spread / other.sqrt()).mean(1),
        "std / sigma^2": (spread / own).mean(1),
        "variance / sigma^2": (spread.square() / own).mean(1),
        "std of the UDM / its sigma": a_intra(udm),
        "std alone, without sigma": spread.mean(1),
    }


def table(run: Path, data: Path) -> str:
    """Return a section in Markdown: AUROC of every reading, with log(sigma^2) clamped and not."""
    detector = load(run)
    images, labels = labelled_test_images(data, detector.options)
    clamped = scores([detector], images, readings)
    for network in detector.networks_.values():
        if isinstance(network, AEU):
            network.log_variance_limit = math.inf
    free = scores([detector], images, readings)
    columns = [["A_intra read as", "AUROC, %", "AUROC without the clamp, %"]]
    rows = [[name, *(f"{100 * auroc(labels, s[name]):.1f}" for s in (clamped, free))] for name in clamped]
    heading = (
        f"## Other readings of A_intra, {method_folder(read_run(run))}, seed {detector.seed}",
        f"{printed_by('python -m medad.experiments.studies.a_intra RUN DATA')}, {split_told(data)}.",
    )
    return "\n\n".join([*heading, markdown_table(columns + rows)])


def main() -> None:
    """Print the table of one run."""
    parser = study_parser("a_intra", __doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    print(table(arguments.run, arguments.data))


if __name__ == "__main__":
    run_command(main)
