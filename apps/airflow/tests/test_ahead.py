"""Reading on while what was read is worked on."""

import threading
from collections.abc import Iterator

import pytest

from appraiser_pipeline.ahead import ahead


class TestAhead:
    """The next item comes from another thread."""

    def test_same_items(self) -> None:
        """Items come as they are, in their order; unknown ones too."""
        assert list(ahead(iter([1, None, 3]))) == [1, None, 3]
        assert list(ahead(iter([]))) == []

    def test_while_the_last_is_worked_on(self) -> None:
        """The second item is got while the first is worked on, and the third is not."""
        got = [threading.Event() for _ in range(3)]

        def items() -> Iterator[int]:
            for number, event in enumerate(got):
                event.set()
                yield number

        coming = ahead(items())
        assert next(coming) == 0
        assert got[1].wait(10)
        assert not got[2].wait(0.1)
        assert list(coming) == [1, 2]

    def test_error(self) -> None:
        """An error comes where its item would have come."""

        def items() -> Iterator[int]:
            yield 1
            raise ConnectionError

        coming = ahead(items())
        assert next(coming) == 1
        with pytest.raises(ConnectionError):
            next(coming)
