"""Where cells are run: local processes, a Dask scheduler, or SLURM through Dask."""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from medad.cores import cores
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
    """As many cells at a time as this machine has cores for, each in a process of its own (which the function starts).

    Parameters
    ----------
    workers : int
        Most cells at a time.
    cores : int
        What they share: threads that wait for each other are many times slower where others take their cores.
    needed : callable
        The cores that an item takes; one that takes more than there are runs alone.
    stop : callable
        Makes calls of the function that are under way return early.
    """

    def __init__(
        self, workers: int, cores: int, needed: Callable[[Any], int], stop: Callable[[], None] = lambda: None
    ) -> None:
        self.workers, self.cores, self.needed, self.stop = workers, cores, needed, stop

    def __call__(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[Item, Result | Exception]]:
        """Yield results as they come; items begin in order, and when the caller stops, no more of them do."""
        waiting, running, free = deque(items), dict[Future[Result], Item](), self.cores
        pool = ThreadPoolExecutor(self.workers)
        try:
            while waiting or running:
                while waiting and len(running) < self.workers and (not running or self.needed(waiting[0]) <= free):
                    item = waiting.popleft()
                    running[pool.submit(function, item)] = item
                    free -= self.needed(item)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    item = running.pop(future)
                    free += self.needed(item)
                    yield item, _outcome(future)
        except BaseException:
            self.stop()
            raise
        finally:
            pool.shutdown()


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
def open_scheduler(
    where: str | None, workers: int, slurm: Mapping[str, Any], needed: Callable[[Any], int]
) -> Iterator[Scheduler]:
    """Yield what runs the cells.

    Parameters
    ----------
    where : str, optional
        ``"slurm"``, or the address of a Dask scheduler; local processes by default.
    workers : int
        Most cells at a time: local processes, or SLURM jobs.
    slurm : mapping
        Arguments of ``dask_jobqueue.SLURMCluster``.
    needed : callable
        The cores that a cell takes on this machine.

    Raises
    ------
    UserError
        If the extra ``distributed`` is not installed, or nobody answers at the address.
    """
    if where is None:
        yield Local(workers, cores(), needed, interrupt)
        return
    try:
        from distributed import Client
    except ImportError:
        raise UserError(f"`scheduler` {where}: install the extra: pip install 'medad[distributed]'") from None
    if where == "slurm":
        with slurm_cluster(slurm) as cluster, Client(cluster) as client:
            cluster.scale(jobs=workers)
            yield OnDask(client)
        return
    try:
        client = Client(where, timeout=20)
    except (OSError, ValueError) as error:
        raise UserError(f"`scheduler` {where}: nobody answers there ({error})") from error
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
        raise UserError("`scheduler` slurm: install the extra: pip install 'medad[distributed]'") from None
    try:
        settings: dict[str, Any] = {"processes": 1, "python": sys.executable, **arguments}
        return SLURMCluster(**settings)
    except (TypeError, ValueError) as error:
        raise UserError(f"slurm: {error}") from error
