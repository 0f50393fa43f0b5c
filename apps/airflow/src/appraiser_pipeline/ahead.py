"""Reads on while what was read is worked on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

_END: Final[Any] = object()


def ahead[T](items: Iterator[T]) -> Iterator[T]:
    """The same items; another thread gets the next one while the last is worked on, and never more than that.

    It pays where both wait or let other threads work meanwhile, as files, Arrow and polars do.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, items, _END)
            yield item
