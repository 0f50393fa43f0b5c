"""The listing API and the pipeline's client of it, over real HTTP."""

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from typing import Any

import pytest
import uvicorn

from appraiser_feed.app import create_app
from appraiser_feed.feed import open_feed
from appraiser_feed.main import configuration
from appraiser_feed.settings import Settings
from appraiser_pipeline.body import read_head, read_rows
from appraiser_pipeline.errors import LostBatchError, SourceRefusedError
from appraiser_pipeline.source import Source
from appraiser_schema import RAW_COLUMNS
from appraiser_schema.frames import check_raw, coerce

type Connect = Callable[..., Source]


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Run the listing API in a thread and give its address."""
    server = uvicorn.Server(configuration(create_app(open_feed(settings))))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Start a listing API of 2,000 simulated listings and connect the pipeline's client to it."""
    with ExitStack() as stack:

        def start(group_number: int = 1, day: str | None = "Tuesday", timeout: float = 30, **settings: Any) -> Source:
            url = stack.enter_context(served(Settings(**({"rows": 2_000} | settings))))
            source = Source(url, group_number, day, dt.timedelta(seconds=timeout))
            stack.callback(source.close)
            return source

        yield start


def receive(source: Source) -> bytes | None:
    """Take the next batch, as the pipeline does; None at the end."""
    with source.next_batch() as chunks:
        return None if chunks is None else b"".join(chunks)


def receive_all(source: Source) -> list[bytes]:
    """Take all batches that are left."""
    return list(iter(lambda: receive(source), None))


class TestBatches:
    """What the client gets."""

    @pytest.mark.parametrize("day", ["Tuesday", "Wednesday", None])
    def test_all(self, connect: Connect, day: str | None) -> None:
        """The client takes six batches, each of which says what it is, and then learns that there are no more."""
        source = connect(group_number=7, day=day)
        heads = [read_head(BytesIO(body)) for body in receive_all(source)]
        assert [(head.group_number, head.day, head.batch_number) for head in heads] == [(7, day, n) for n in range(6)]
        assert receive(source) is None

    def test_rows(self, connect: Connect) -> None:
        """The rows of every batch are raw listings, in the contract's columns, none unreadable."""
        frames = [read_rows(BytesIO(body)) for body in receive_all(connect())]
        assert sum(frame.height for frame in frames) == 2_000
        for frame in frames:
            assert tuple(frame.columns) == RAW_COLUMNS
            assert check_raw(coerce(frame).good).good.height == frame.height

    def test_restart(self, connect: Connect) -> None:
        """After a restart the client gets the same bytes."""
        source = connect()
        before = receive_all(source)
        source.restart()
        assert receive_all(source) == before

    def test_identity(self, connect: Connect) -> None:
        """The client learns that simulated listings are simulated."""
        identity = connect().identity()
        assert (identity.name, identity.simulated) == ("simulator", True)


class TestFaults:
    """What the client makes of a source that fails."""

    def test_lost_in_the_middle(self, connect: Connect) -> None:
        """A batch that breaks off is lost, the next one follows, and a replay brings the lost one."""
        source = connect(drop={1})
        first = receive(source)
        with pytest.raises(LostBatchError, match="replay"):
            receive(source)
        assert read_head(BytesIO(receive(source) or b"")).batch_number == 2
        source.restart()
        assert receive(source) == first
        assert read_head(BytesIO(receive(source) or b"")).batch_number == 1

    def test_late(self, connect: Connect) -> None:
        """A batch that is later than the client waits is lost, not asked for again: the cursor moves once."""
        source = connect(timeout=0.2, delay=0.6)
        with pytest.raises(LostBatchError):
            receive(source)
        patient = Source(source.url, 1, "Tuesday", dt.timedelta(seconds=30))
        assert read_head(BytesIO(receive(patient) or b"")).batch_number == 1
        patient.close()

    @pytest.mark.parametrize(("group_number", "day"), [(11, "Tuesday"), (1, "Monday")])
    def test_refused(self, connect: Connect, group_number: int, day: str) -> None:
        """A group or a day that the source does not know is no end of the source."""
        with pytest.raises(SourceRefusedError, match=f"group_number {group_number} and day '{day}'"):
            receive(connect(group_number=group_number, day=day))
