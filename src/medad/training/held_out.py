"""``held_out.csv`` of a run folder: what normal images that were not trained on score."""

from pathlib import Path

import numpy as np

from medad.errors import UserError
from medad.files import replacing

HELD_OUT_FILE, _HEADER = "held_out.csv", "pred_score"


def write_held_out(folder: Path, scores: np.ndarray | None) -> None:
    """Write ``held_out.csv``: one column of scores, no image is named.

    Parameters
    ----------
    folder : Path
        The run folder.
    scores : ndarray or None
        (m,) ``pred_score`` of the images held out, read back bit for bit; None: there is no such file.
    """
    path = Path(folder) / HELD_OUT_FILE
    if scores is None:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as partial:
        partial.write_text("\n".join([_HEADER, *(repr(float(score)) for score in scores), ""]), encoding="utf-8")


def read_held_out(folder: Path) -> np.ndarray | None:
    """Read ``held_out.csv``: (m,) ``float64``; None if there is no such file.

    Raises
    ------
    UserError
        If it is not a column of finite numbers.
    """
    path = Path(folder) / HELD_OUT_FILE
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        scores = np.array([float(line) for line in lines])
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not readable ({error!s:.100}); train again") from error
    if header != _HEADER or not len(scores) or not np.isfinite(scores).all():
        raise UserError(f"{path}: not the scores of held-out images; train again")
    return scores
