"""Tables are worked on in parts, several at a time, and come back whole."""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from appraiser_api.batch import session
from appraiser_api.batch.appraising import LEAST_ROWS, PART_ROWS, Checked, check
from appraiser_api.batch.chunks import Chunk, Fault, numbered
from appraiser_model import Bundle, ValuationModel
from appraiser_schema.frames import to_columns

in_threads = session._in_threads


@pytest.fixture(scope="module")
def model(bundles: tuple[Bundle, Bundle]) -> ValuationModel:
    """A model that has learned a little."""
    return bundles[0].model


def checked(model: ValuationModel, rows: int, first: int = 1, bad: tuple[int, ...] = ()) -> Checked:
    """Houses with numbers from `first` on, each with a size of its own, of which some could not be read."""
    sizes = [500.0 + row for row in range(rows)]
    frame = numbered(pl.DataFrame({"state": ["Texas"] * rows, "house_size": sizes}), first)
    good = frame.filter(~pl.col("row_number").is_in(list(bad)))
    return check(Chunk(good, [Fault(row, "bed", "a number", "x") for row in bad]), model)


class TestDivided:
    """A chunk in parts."""

    @pytest.mark.parametrize("rows", [0, 1, LEAST_ROWS, 2 * LEAST_ROWS, 1000, PART_ROWS, PART_ROWS + 1, 40_000])
    def test_no_row_is_lost(self, model: ValuationModel, rows: int) -> None:
        """The parts are the chunk, in order, and none is longer than may be."""
        whole = checked(model, rows)
        parts = list(whole.divided(2))
        assert pl.concat([part.good for part in parts]).equals(whole.good)
        np.testing.assert_array_equal(np.concatenate([part.features for part in parts]), whole.features)
        for part in parts:
            np.testing.assert_array_equal(part.features, model.encoder.transform(to_columns(part.good)))
        assert max(part.good.height for part in parts) <= PART_ROWS

    def test_few_rows_stay_together(self, model: ValuationModel) -> None:
        """What one thread does at once is not divided; what keeps two threads busy is."""
        assert len(list(checked(model, 2 * LEAST_ROWS - 1).divided(2))) == 1
        assert len(list(checked(model, 2 * LEAST_ROWS).divided(2))) == 2

    def test_what_is_refused_stays_in_its_place(self, model: ValuationModel) -> None:
        """So that the answers to the parts, one after the other, are in order."""
        bad = (100, 100 + LEAST_ROWS, 950, 1098, 1099)
        parts = list(checked(model, 1000, first=100, bad=bad).divided(2))
        assert [row for part in parts for row in part.refused["row"]] == list(bad)
        for part, following in pairwise(parts):
            rows, later = ([*one.good["row_number"], *one.refused["row"]] for one in (part, following))
            assert max(rows) < min(later)

    def test_nothing_good(self, model: ValuationModel) -> None:
        """A chunk without a good row is one part, with all that is wrong."""
        (part,) = checked(model, 2, bad=(1, 2)).divided(2)
        assert part.refused.height == 2


class TestInThreads:
    """Parts in threads."""

    def test_in_order(self) -> None:
        """Whoever ends first, the results come in the order of the parts."""

        def work(number: int) -> int:
            time.sleep(0.02 if number % 3 == 0 else 0)
            return number

        assert list(in_threads(work, iter(range(20)), 2)) == list(range(20))

    def test_the_one_that_reads_works_too(self) -> None:
        """There are as many threads as processors, the caller's among them."""

        def work(_: int) -> int:
            time.sleep(0.01)
            return threading.get_ident()

        workers = set(in_threads(work, iter(range(30)), 2))
        assert len(workers) == 2
        assert threading.get_ident() in workers

    def test_reads_no_further_than_it_has_threads_for(self) -> None:
        """Memory does not grow with the table: nothing is read long before it is worked on."""
        read: list[int] = []

        def items() -> Iterator[int]:
            for number in range(100):
                read.append(number)
                yield number

        results = in_threads(str, items(), 2)
        for _ in range(10):
            next(results)
        assert len(read) <= 10 + session.AHEAD + 1
        results.close()  # type: ignore[attr-defined]

    def test_a_fault_ends_it(self) -> None:
        """The first part that fails is the result; parts that nobody waits for are not begun."""
        begun: list[int] = []

        def work(number: int) -> int:
            begun.append(number)
            return 1 // number

        with pytest.raises(ZeroDivisionError):
            list(in_threads(work, iter(range(50)), 2))
        assert len(begun) < 10

    def test_leaves_no_thread_behind(self) -> None:
        """Who stops in the middle waits for what was begun, for it writes to the log."""
        results = in_threads(lambda _: time.sleep(0.05), iter(range(50)), 2)
        next(results)
        results.close()  # type: ignore[attr-defined]
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("batch-part")]
