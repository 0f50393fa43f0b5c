"""The contract of the listing API, over real HTTP."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from appraiser_feed.cursors import Cursors
from appraiser_feed.encoding import Batch, EncodedRows
from appraiser_feed.faults import Faults
from appraiser_feed.feed import Feed

type Table = Callable[..., pl.DataFrame]
type Serve = Callable[..., httpx.Client]

NEXT = "/data?group_number=9&day=Tuesday"
RESTART = "/restart_data_generation?group_number=9&day=Tuesday"


def bodies(client: httpx.Client, question: str = NEXT) -> list[bytes]:
    """Ask until a batch is refused; the bytes of all batches."""
    answers = []
    while (response := client.get(question)).status_code == 200:
        answers.append(response.content)
    return answers


class TestSequence:
    """What comes after what."""

    def test_first_answer(self, serve: Serve, listing_file: Path) -> None:
        """A batch is the group, the day, the number and the rows, in that order, without blanks."""
        response = serve(data=listing_file).get(NEXT)
        row = (
            '{"brokered_by":101640.0,"status":"for_sale","price":289900.0,"bed":4.0,"bath":2.0,"acre_lot":0.38,'
            '"street":1758218.0,"city":"East Windsor","state":"Connecticut","zip_code":6016.0,"house_size":1500.0,'
            '"prev_sold_date":"1999-09-30"}'
        )
        assert response.text == f'{{"group_number":9,"day":"Tuesday","batch_number":0,"data":[{row}]}}'
        assert response.headers["content-type"] == "application/json"
        assert int(response.headers["content-length"]) == len(response.content)

    def test_every_call_moves_on(self, serve: Serve, listing_file: Path) -> None:
        """Six calls give the six batches in the order of the plan."""
        numbers = [json.loads(body)["batch_number"] for body in bodies(serve(data=listing_file))]
        assert numbers == [0, 1, 2, 3, 4, 5]

    def test_exhausted(self, serve: Serve, listing_file: Path) -> None:
        """After the last batch every call is refused with the original's words."""
        client = serve(data=listing_file)
        bodies(client)
        for _ in range(2):
            response = client.get(NEXT)
            assert response.status_code == 400
            assert response.content == '{"detail":"Ya se recolectó toda la información mínima necesaria"}'.encode()

    def test_restart_replays(self, serve: Serve, listing_file: Path) -> None:
        """After a restart the same batches come again, byte for byte."""
        client = serve(data=listing_file)
        before = bodies(client)
        response = client.get(RESTART)
        assert (response.status_code, response.content) == (200, b'{"ok":true}')
        assert bodies(client) == before

    def test_restart_in_the_middle(self, serve: Serve, listing_file: Path) -> None:
        """A restart can come at any time."""
        client = serve(data=listing_file)
        first = client.get(NEXT).content
        client.get(NEXT)
        client.get(RESTART)
        assert client.get(NEXT).content == first

    def test_cursors_are_apart(self, serve: Serve, listing_file: Path) -> None:
        """Another group, another day and no day each have a cursor of their own."""
        client = serve(data=listing_file)
        client.get(NEXT)
        others = ["/data?group_number=8&day=Tuesday", "/data?group_number=9&day=Wednesday", "/data?group_number=9"]
        assert [client.get(other).json()["batch_number"] for other in others] == [0, 0, 0]
        assert client.get(NEXT).json()["batch_number"] == 1

    def test_restart_of_another(self, serve: Serve, listing_file: Path) -> None:
        """A restart moves one cursor only."""
        client = serve(data=listing_file)
        client.get(NEXT)
        client.get("/restart_data_generation?group_number=9&day=Wednesday")
        assert client.get(NEXT).json()["batch_number"] == 1

    @pytest.mark.parametrize("question", ["/data?group_number=9", "/data?group_number=9&day="])
    def test_without_day(self, serve: Serve, listing_file: Path, question: str) -> None:
        """The edition of 2026 has no day, neither in the question nor in the answer."""
        answer = serve(data=listing_file).get(question).json()
        assert list(answer) == ["group_number", "batch_number", "data"]

    def test_simultaneous_calls(self, serve: Serve, listing_file: Path) -> None:
        """Calls at the same time get different batches, none twice."""
        client = serve(data=listing_file)
        numbers: list[int] = []
        threads = [
            threading.Thread(target=lambda: numbers.append(client.get(NEXT).json()["batch_number"])) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(numbers) == [0, 1, 2, 3, 4, 5]

    def test_every_number_is_a_float(self, serve: Serve) -> None:
        """Every number of a listing is written with a point, identifiers too, and nothing is null."""
        answer = serve(rows=1_000).get(NEXT).text
        whole: list[str] = []
        rows = json.loads(answer, parse_int=lambda text: whole.append(text) or int(text))["data"]
        assert whole == ["9", "0"]
        assert all(value is not None for row in rows for value in row.values())


class SlowBatch(Batch):
    """A batch that is not encoded before it may be."""

    asked = threading.Event()
    may = threading.Event()

    def encoded(self) -> EncodedRows:
        """Wait, then encode."""
        self.asked.set()
        assert self.may.wait(20)
        return super().encoded()


class TestLargeBatch:
    """A batch that takes long to encode."""

    def test_others_go_on(self, serve: Serve, table: Table) -> None:
        """While one request waits for its batch to be encoded, others are answered."""
        feed = Feed(
            "slow.csv", simulated=False, batches=(SlowBatch(0, table({})),), cursors=Cursors(1), faults=Faults()
        )
        client = serve(feed)
        answers: list[httpx.Response] = []
        waiting = threading.Thread(target=lambda: answers.append(client.get(NEXT)))
        waiting.start()
        assert SlowBatch.asked.wait(20)
        assert client.get(NEXT).status_code == 400
        SlowBatch.may.set()
        waiting.join()
        assert answers[0].json()["batch_number"] == 0


class TestRefusals:
    """Questions that have no answer."""

    @pytest.mark.parametrize("path", ["/data", "/restart_data_generation"])
    @pytest.mark.parametrize("group", [-1, 0, 11])
    def test_bad_group(self, serve: Serve, listing_file: Path, path: str, group: int) -> None:
        """A group number outside 1 to 10 is refused like the end, with other words."""
        response = serve(data=listing_file).get(f"{path}?group_number={group}&day=Tuesday")
        assert response.status_code == 400
        assert response.content == '{"detail":"Número de grupo inválido"}'.encode()

    @pytest.mark.parametrize("path", ["/data", "/restart_data_generation"])
    @pytest.mark.parametrize(
        ("query", "field"), [("", "group_number"), ("group_number=x", "group_number"), ("group_number=1&day=x", "day")]
    )
    def test_bad_parameters(self, serve: Serve, listing_file: Path, path: str, query: str, field: str) -> None:
        """A missing or unreadable parameter is 422 and named; the cursor stays."""
        client = serve(data=listing_file)
        response = client.get(f"{path}?{query}")
        assert response.status_code == 422
        assert response.json()["detail"][0]["loc"] == ["query", field]
        assert client.get("/data?group_number=1").json()["batch_number"] == 0


class TestGreeting:
    """What is said about the source."""

    def test_file(self, serve: Serve, listing_file: Path) -> None:
        """A file is named, without its folder."""
        answer = serve(data=listing_file).get("/").json()
        assert (answer["source"], answer["simulated"]) == ("listings.csv", False)
        assert "GET /data" in answer["message"]

    def test_simulator(self, serve: Serve) -> None:
        """The simulator says that its listings are made up."""
        answer = serve(rows=200).get("/").json()
        assert (answer["source"], answer["simulated"]) == ("simulator", True)

    def test_health(self, serve: Serve, listing_file: Path) -> None:
        """The health check says OK."""
        assert serve(data=listing_file).get("/health").json() == {"status": "OK"}


class TestFaults:
    """Faults played on purpose."""

    def test_dropped_once(self, serve: Serve) -> None:
        """A dropped response breaks off in its middle, the cursor has moved, and a replay brings the batch."""
        client = serve(rows=1_000, drop="1")
        client.get(NEXT)
        received: list[bytes] = []
        with client.stream("GET", NEXT) as response, pytest.raises(httpx.RemoteProtocolError):
            received.extend(response.iter_raw())
        assert sum(map(len, received)) == int(response.headers["content-length"]) // 2
        assert client.get(NEXT).json()["batch_number"] == 2
        client.get(RESTART)
        client.get(NEXT)
        whole = client.get(NEXT)
        assert whole.json()["batch_number"] == 1
        assert whole.content.startswith(b"".join(received))

    def test_several(self, serve: Serve, listing_file: Path) -> None:
        """Several batches can be dropped; the others arrive."""
        client = serve(data=listing_file, drop="0, 2")
        arrived: list[Any] = []
        for _ in range(4):
            try:
                arrived.append(client.get(NEXT).json()["batch_number"])
            except httpx.RemoteProtocolError:
                arrived.append(None)
        assert arrived == [None, 1, None, 3]

    def test_repeated_once(self, serve: Serve, listing_file: Path) -> None:
        """A repeated batch comes twice, byte for byte, and then the next one."""
        client = serve(data=listing_file, repeat="1")
        bodies = [client.get(NEXT) for _ in range(4)]
        assert [body.json()["batch_number"] for body in bodies] == [0, 1, 1, 2]
        assert bodies[1].content == bodies[2].content
        client.get(RESTART)
        assert [client.get(NEXT).json()["batch_number"] for _ in range(3)] == [0, 1, 2]

    def test_late(self, serve: Serve, listing_file: Path) -> None:
        """A late batch is lost to an impatient client, and other questions are answered meanwhile."""
        client = serve(data=listing_file, delay=0.4)
        with pytest.raises(httpx.ReadTimeout):
            client.get(NEXT, timeout=0.1)
        start = time.monotonic()
        client.get("/health")
        assert time.monotonic() - start < 0.3
        assert client.get(NEXT).json()["batch_number"] == 1
