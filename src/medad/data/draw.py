"""Drawing the unlabeled training set D_u from the pool."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from medad.data.entries import Entry
from medad.errors import OptionError, UserError


def draw_unlabeled(pool: Sequence[Entry], size: int | None, anomaly_rate: float) -> tuple[Entry, ...]:
    """Draw D_u with M images, of which a share AR is abnormal.

    The number of abnormal images is M x AR rounded half up (the published code truncates, which
    gives 434 for 0.29 x 1500). The first names of each list are taken, the normal ones first,
    as the published code does: nothing is shuffled.

    Parameters
    ----------
    pool : sequence of Entry
        With labels, or all without: such a pool is used whole (its first M with `size`).
    size : int or None
        M; None takes the largest that the pool allows at this rate.
    anomaly_rate : float
        AR, in [0, 1].

    Returns
    -------
    tuple of Entry
        M entries.

    Raises
    ------
    UserError
        If M does not fit the pool, no set is possible at all, or only some entries have labels.
    """
    if not 0 <= anomaly_rate <= 1:
        raise OptionError("anomaly_rate", "give a share between 0 and 1", anomaly_rate)
    if size is not None and size < 1:
        raise OptionError("unlabeled_size", "give at least 1", size)
    normal, abnormal, unknown = ([entry for entry in pool if entry.label == label] for label in (0, 1, None))
    if unknown:
        return _draw_unknown(pool, len(unknown), size)
    fits = [m for m in range(len(pool) + 1) if _fits(m, anomaly_rate, len(normal), len(abnormal))]
    m = fits[-1] if size is None else size
    if m not in fits or (pool and not m):
        held = f"the unlabeled pool ({len(normal)} normal, {len(abnormal)} abnormal)"
        limit = f"allows at most {fits[-1]} images, not {size or 'more'}"
        raise OptionError("anomaly_rate", f"{held} {limit}: choose another rate or size", anomaly_rate)
    count = _abnormal(m, anomaly_rate)
    return tuple(normal[: m - count] + abnormal[:count])


def _draw_unknown(pool: Sequence[Entry], unknown: int, size: int | None) -> tuple[Entry, ...]:
    if unknown < len(pool):
        raise UserError(f"{unknown} of {len(pool)} unlabeled images have no label: label all or none")
    if size is not None and size > len(pool):
        raise OptionError("unlabeled_size", f"the pool has {len(pool)} images: ask for no more", size)
    return tuple(pool[:size])


def _fits(size: int, anomaly_rate: float, normal: int, abnormal: int) -> bool:
    count = _abnormal(size, anomaly_rate)
    return count <= abnormal and size - count <= normal


def _abnormal(size: int, anomaly_rate: float) -> int:
    """Round `size` x `anomaly_rate` half up, in decimals: binary 0.7 x 45 is 31.4999…, not 31.5."""
    return int((size * Decimal(str(anomaly_rate))).quantize(Decimal(1), ROUND_HALF_UP))
