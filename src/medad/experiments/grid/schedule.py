"""Where cells are run: local processes, a Dask scheduler, or SLURM through Dask."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from medad.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")
RETRIES = 3  # of a cell whose Dask worker died


class Scheduler(Protocol):
    """Runs a function on items, somewhere, and yields results as they come."""

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield ``function(item)`` for all items, in any order."""


class Local:
    """So many cells at a time on this machine, each in a process of its own (which the function starts)."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield results as they come; when the caller stops, what has not begun is not begun."""
        pool = ThreadPoolExecutor(self.workers)
        try:
            for future in as_completed([pool.submit(function, item) for item in items]):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


class OnDask:
    """On the workers of a Dask client; an item whose worker dies is given to another."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """Yield results as they come; when the caller stops, the others are cancelled."""
        from distributed import as_completed

        futures = [self.client.submit(function, item, pure=False, retries=RETRIES) for item in items]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            self.client.cancel(futures)


@contextmanager
def open_scheduler(where: str | None, workers: int, slurm: Mapping[str, Any]) -> Iterator[Scheduler]:
    """Yield what runs the cells.

    Parameters
    ----------
    where : str, optional
        ``"slurm"``, or the address of a Dask scheduler; local processes by default.
    workers : int
        Cells at a time: local processes, or SLURM jobs.
    slurm : mapping
        Arguments of ``dask_jobqueue.SLURMCluster``.

    Raises
    ------
    UserError
        If the extra ``distributed`` is not installed, or nobody answers at the address.
    """
    if where is None:
        yield Local(workers)
        return
    try:
        from distributed import Client
    except ImportError:
        raise UserError(f"--scheduler {where}: install the extra: pip install 'medad[distributed]'") from None
    if where == "slurm":
        with slurm_cluster(slurm) as cluster, Client(cluster) as client:
            cluster.scale(jobs=workers)
            yield OnDask(client)
        return
    try:
        client = Client(where, timeout=20)
    except (OSError, ValueError) as error:
        raise UserError(f"--scheduler {where}: nobody answers there ({error})") from error
    with client:
        yield OnDask(client)


def slurm_cluster(arguments: Mapping[str, Any]) -> Any:
    """Return a SLURM cluster: one cell per job unless `arguments` say otherwise.

    What they leave open, Dask's own configuration (``~/.config/dask/jobqueue.yaml``) may say.

    Raises
    ------
    UserError
        If the extra is not installed or an argument is missing or unknown.
    """
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise UserError("--scheduler slurm: install the extra: pip install 'medad[distributed]'") from None
    try:
        settings: dict[str, Any] = {"processes": 1, "python": sys.executable, **arguments}
        return SLURMCluster(**settings)
    except (TypeError, ValueError) as error:
        raise UserError(f"slurm: {error}") from error
