"""Threads that work through a list and can be stopped."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from melanoscope.hardware import available_cores


@contextmanager
def thread_pool(workers: int | None = None, name: str = "") -> Iterator[ThreadPoolExecutor]:
    """Open a pool of threads that drops what it has not begun when the block ends.

    `ThreadPoolExecutor` alone would work through everything that was handed to it before an error
    or Ctrl-C reaches the caller: of an archive, for many minutes.

    Args:
        workers: Number of threads; None for one per available core.
        name: Beginning of the threads' names.

    Yields:
        The pool.

    >>> with thread_pool(2) as pool:
    ...     list(pool.map(abs, [-1, 2]))
    [1, 2]
    """
    pool = ThreadPoolExecutor(workers or available_cores(), name)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
