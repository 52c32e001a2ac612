"""The cheap part of an audit, done before every training: what stands in two splits, and what file sizes give away."""

import os
from collections.abc import Iterator, Sequence

import numpy as np

from medad.data.audit.files import same_bytes
from medad.data.audit.patients import across, told
from medad.data.entries import Entry
from medad.data.imageset import ImageSet
from medad.data.parallel import parallel_map
from medad.data.readers import UnreadableImage, read_header
from medad.errors import UserError
from medad.evaluation.intervals import auroc_interval
from medad.evaluation.metrics import auroc
from medad.parser_messages import typed_names
from medad.workflows.notes import say

CLEAR = 0.65  # AUROC
ADVICE = "medad audit tells more, and writes lists without repeats; `leaks` refuse trains nothing, `leaks` say goes on"


def check_leaks(
    normal: ImageSet, unlabeled: ImageSet | None, test: Sequence[Entry], leaks: str, jobs: int | None = None
) -> None:
    """Say what stands in two splits, one line each, and what file sizes alone tell apart.

    Parameters
    ----------
    normal, unlabeled : ImageSet
        Training images; their patients may come from the files.
    test : sequence of Entry
        Test images, not decoded. Their files are asked for patients only where those of training images are known.
    leaks : {'say', 'refuse'}
        What to do if anything stands in two splits.
    jobs : int, optional
        Number of threads.

    Raises
    ------
    UserError
        If anything does, and `leaks` is refuse.
    """
    training = {"normal": normal} | ({} if unlabeled is None else {"unlabeled": unlabeled})
    sizes = {name: len(images) for name, images in training.items()} | {"test": len(test)}
    splits = [name for name, count in sizes.items() for _ in range(count)]
    paths = [path for images in training.values() for path in images.paths] + [str(entry.path) for entry in test]
    patients = [patient for images in training.values() for patient in images.patients or ("",) * len(images)]
    patients += _patients(test, jobs) if any(patients) else [""] * len(test)
    found = list(_shared(paths, patients, splits, jobs))
    if found and leaks == "refuse":
        raise UserError(typed_names(f"{'; '.join(found)}: {ADVICE}"))
    for line in found:
        say(f"leak: {line}")
    if found:
        say(typed_names(ADVICE))
    for line in _file_sizes(paths, splits, test):
        say(line)


def _patients(test: Sequence[Entry], jobs: int | None) -> list[str]:
    def ask(entry: Entry) -> str:
        try:
            return entry.patient or read_header(entry.path, entry.frame).patient
        except UnreadableImage:
            return ""  # decoding will say why

    return list(parallel_map(ask, test, "reading headers", jobs))


def _shared(paths: Sequence[str], patients: Sequence[str], splits: Sequence[str], jobs: int | None) -> Iterator[str]:
    yield from (told("patients", one) for one in across(patients, splits))
    yield from (told("files of several frames", one) for one in across(paths, splits))
    contents = [""] * len(paths)
    for number, group in enumerate(same_bytes(paths, jobs)):
        for index in group:
            contents[index] = str(number)
    yield from (told("the same files, byte for byte,", one) for one in across(contents, splits))


def _file_sizes(paths: Sequence[str], splits: Sequence[str], test: Sequence[Entry]) -> Iterator[str]:
    """Say where the size of files alone tells two sets apart."""
    try:
        sizes = np.array([os.stat(path).st_size for path in paths], dtype=np.float64)
    except OSError:  # generated images have no files; of others decoding says why
        return
    labels = np.array([-1] * (len(paths) - len(test)) + [-1 if e.label is None else e.label for e in test])
    named = np.array(splits)
    sets = {
        "normal and unlabeled images": (named == "normal", named == "unlabeled"),
        "normal and abnormal test images": (labels == 0, labels == 1),
    }
    for name, (first, second) in sets.items():
        if first.any() and second.any():
            truth = second[first | second]
            value = auroc(truth, sizes[first | second])
            values = sizes[first | second] * (1 if value >= 0.5 else -1)
            low, high = auroc_interval(truth, values)
            if low > 0.5 and auroc(truth, values) >= CLEAR:
                figure = f"AUROC {100 * auroc(truth, values):.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
                yield f"file size alone tells {name} apart: {figure}; medad audit tells what else does"
