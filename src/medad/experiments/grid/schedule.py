"""Where cells are run: local processes, a Dask scheduler, or SLURM through Dask."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from medad.errors import UserError
from medad.experiments.grid.cell import interrupt

Item = TypeVar("Item")
Result = TypeVar("Result")
RETRIES = 3  # of a cell whose Dask worker died


class Scheduler(Protocol):
    """Runs a function on items, somewhere, and yields results as they come."""

    def __call__(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[Item, Result | Exception]]:
        """Yield all items, in any order, each with ``function(item)`` or the error that took its place."""


class Local:
    """So many cells at a time on this machine, each in a process of its own (which the function starts).

    Parameters
    ----------
    workers : int
        Cells at a time.
    stop : callable
        Makes calls of the function that are under way return early.
    """

    def __init__(self, workers: int, stop: Callable[[], None] = lambda: None) -> None:
        self.workers, self.stop = workers, stop

    def __call__(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[Item, Result | Exception]]:
        """Yield results as they come; when the caller stops, what has not begun is not begun."""
        pool = ThreadPoolExecutor(self.workers)
        futures = {pool.submit(function, item): item for item in items}
        try:
            for future in as_completed(futures):
                yield futures[future], _outcome(future)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self.stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


class OnDask:
    """On the workers of a Dask client; an item whose worker dies is given to another."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def __call__(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[Item, Result | Exception]]:
        """Yield results as they come; when the caller stops, the others are cancelled.

        Dask blames all items that wait at a worker that dies, so these are tried again one by one.
        """
        from distributed import KilledWorker

        blamed = []
        for item, outcome in self._together(function, items):
            if isinstance(outcome, KilledWorker) and len(items) > 1:
                blamed.append(item)
            else:
                yield item, outcome
        for item in blamed:
            yield from self._together(function, [item])

    def _together(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[Item, Result | Exception]]:
        from distributed import as_completed

        futures = {self.client.submit(function, item, pure=False, retries=RETRIES): item for item in items}
        try:
            for future in as_completed(list(futures)):
                yield futures[future], _outcome(future)
        finally:
            self.client.cancel(list(futures))


def _outcome(future: Any) -> Any:
    """Return the result of a finished future, or the error that took its place, such as Dask's KilledWorker."""
    try:
        return future.result()
    except Exception as error:
        return error


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
        yield Local(workers, interrupt)
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
