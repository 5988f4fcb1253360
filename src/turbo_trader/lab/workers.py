"""Where evaluations run: an existing Dask cluster (`--scheduler`), or processes on this machine.

A task whose worker dies goes to another; a task that kills three workers is given up alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from turbo_trader.market.errors import InputError

Given = TypeVar("Given")
Found = TypeVar("Found")
_TIMEOUT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Lost:
    """A task that was given up, and why."""

    why: str


@dataclass(slots=True)
class Workers:
    """A connected cluster."""

    client: Any

    @property
    def count(self) -> int:
        """Threads of all workers, at least 1."""
        return max(1, sum(map(int, self.client.nthreads().values())))

    def run(
        self, work: Callable[[Given], Found], following: Iterator[Given]
    ) -> Iterator[tuple[Given, Found | Lost]]:
        """Results as they come; two tasks a worker are in flight, so that what follows may depend on what came.

        InputError of a task is raised: it is the user's to mend, and every task would meet it.
        """
        import distributed

        cluster: Any = distributed  # untyped

        given: dict[str, Given] = {}
        running = cluster.as_completed(loop=self.client.loop)
        wanting = 2 * self.count

        def submit() -> bool:
            task = next(following, None)
            if task is None:
                return False
            future = self.client.submit(work, task, pure=False)
            given[future.key] = task
            running.add(future)
            return True

        for _ in range(wanting):
            if not submit():
                break
        for future in running:
            task = given.pop(future.key)
            if future.status == "finished":
                yield task, future.result()
            else:
                error = future.exception()
                if isinstance(error, InputError):
                    raise error
                yield task, Lost(f"{type(error).__name__}: {error}")
            submit()


@contextmanager
def workers(scheduler: str, processes: int) -> Iterator[Workers]:
    """A cluster at an address, or a new one here that ends with the search. InputError where none can be reached."""
    try:
        import distributed
    except ImportError:
        raise InputError("the search needs Dask and Optuna: pip install 'turbo-trader[lab]'") from None
    dask: Any = distributed  # untyped
    if scheduler:
        try:
            client = dask.Client(scheduler, timeout=_TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"--scheduler {scheduler}: no Dask scheduler answers there ({type(error).__name__})"
            ) from None
        with client:
            if not client.nthreads():
                raise InputError(
                    f"--scheduler {scheduler}: it has no workers: start some with `dask worker {scheduler}`"
                )
            yield Workers(client)
        return
    with (
        dask.LocalCluster(
            n_workers=processes, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        dask.Client(cluster, set_as_default=False) as client,
    ):
        yield Workers(client)
