"""Landing batches from the real feed: seen, missed, lost and exhausted."""

from pathlib import Path

import httpx
import pytest
from pipeline_stand import running_feed, settings_in

from appraiser_pipeline.context import Context
from appraiser_pipeline.errors import LostBatchError, OtherSourceError, ReplayError, SourceError, SourceRefusedError
from appraiser_pipeline.steps.fetch_batch import Fetched, fetch_batch
from appraiser_schema import BatchStatus, FetchOutcome


def ask(url: str, path: str = "/data") -> httpx.Response:
    """What another user of the same group does: it moves the same cursor."""
    return httpx.get(f"{url}{path}", params={"group_number": 1, "day": "Tuesday"}, trust_env=False)


def take(context: Context) -> Fetched:
    """Fetch a batch and stop it, so that the pipeline is done with it."""
    fetched = fetch_batch(context)
    if fetched.batch_number is not None:
        batch = context.ledger.batch(fetched.batch_number)
        assert batch is not None
        context.ledger.save_batch(batch.model_copy(update={"status": BatchStatus.STOPPED, "stop_reason": "a test"}))
    return fetched


def refuse() -> None:
    """A source that cannot be restarted."""
    raise SourceError("the source", "says: not now")


def outcomes(context: Context) -> list[tuple[str, int | None]]:
    """What the ledger says of each question."""
    return [(fetch.outcome.value, fetch.batch_number) for fetch in context.ledger.fetches()]


def open_context(folder: Path, url: str, **changed: object) -> Context:
    """A pipeline over the feed."""
    return Context(settings_in(folder, url, **changed))


class TestNew:
    """The batch that is due."""

    def test_bytes(self, tmp_path: Path, feed: str) -> None:
        """What was landed is what the source sent, byte for byte, and the ledger holds its digest and size."""
        context = open_context(tmp_path, feed)
        fetched = take(context)
        batch = context.ledger.batch(0)
        assert batch is not None
        ask(feed, "/restart_data_generation")
        assert context.landing.path(batch.landing_path).read_bytes() == ask(feed).content
        assert (fetched.outcome, fetched.batch_number) == (FetchOutcome.NEW, 0)
        assert batch.size_bytes == context.landing.path(batch.landing_path).stat().st_size
        assert (batch.source, batch.simulated, batch.group_number, batch.day) == ("simulator", True, 1, "Tuesday")
        context.close()

    def test_all(self, tmp_path: Path, feed: str) -> None:
        """Call after call brings the six batches in their order, then the end, and then the end again."""
        context = open_context(tmp_path, feed)
        numbers = [take(context).batch_number for _ in range(8)]
        assert numbers == [0, 1, 2, 3, 4, 5, None, None]
        assert outcomes(context)[-1] == ("exhausted", None)
        context.close()


class TestSeen:
    """Batches that were landed before."""

    def test_restarted_source(self, tmp_path: Path, feed: str) -> None:
        """After a restart of the source the batches come again; they are recorded as seen and the next one is taken."""
        context = open_context(tmp_path, feed)
        for _ in range(2):
            take(context)
        before = context.ledger.batches()
        ask(feed, "/restart_data_generation")
        assert take(context).batch_number == 2
        assert outcomes(context)[2:] == [("seen", 0), ("seen", 1), ("new", 2)]
        assert context.ledger.batches()[:2] == before
        context.close()

    def test_other_bytes(self, tmp_path: Path) -> None:
        """A source that brings other listings under a number that was landed is refused."""
        with running_feed({"APPRAISER_FEED_SEED": "1"}) as url:
            context = open_context(tmp_path, url)
            take(context)
            context.close()
        with running_feed({"APPRAISER_FEED_SEED": "2"}) as url:
            context = open_context(tmp_path, url)
            with pytest.raises(ReplayError, match="batch 0: it came with digest"):
                take(context)
            assert len(context.ledger.batches()) == 1
            context.close()


class TestInterrupted:
    """A batch that landed and was not brought to its end."""

    def test_goes_on(self, tmp_path: Path, feed: str) -> None:
        """It is given again before the next one, and the source is not asked."""
        context = open_context(tmp_path, feed)
        fetch_batch(context)
        again = fetch_batch(context)
        assert (again.batch_number, again.resumed) == (0, True)
        assert outcomes(context) == [("new", 0)]
        context.close()


class TestMissed:
    """Batches that were taken by others, or whose answer did not arrive."""

    def test_gap(self, tmp_path: Path, feed: str) -> None:
        """A batch that comes too early shows a gap; a replay brings the one that is due, and then the others."""
        context = open_context(tmp_path, feed)
        take(context)
        ask(feed)
        ask(feed)
        assert take(context).outcome is FetchOutcome.GAP_REPAIRED
        assert outcomes(context)[1:] == [("ahead", 3), ("seen", 0), ("gap_repaired", 1)]
        assert [take(context).batch_number for _ in range(5)] == [2, 3, 4, 5, None]
        context.close()

    def test_first_call(self, tmp_path: Path, feed: str) -> None:
        """The cursor need not stand at the first batch when the pipeline comes to it."""
        ask(feed)
        context = open_context(tmp_path, feed)
        assert [take(context).batch_number for _ in range(2)] == [0, 1]
        context.close()

    @pytest.mark.parametrize("dropped", [0, 2, 5])
    def test_lost_answer(self, tmp_path: Path, dropped: int) -> None:
        """A lost answer is an error that says what will happen; the next calls bring every batch, the last one too."""
        with running_feed({"APPRAISER_FEED_DROP": str(dropped)}) as url:
            context = open_context(tmp_path, url)
            for _ in range(dropped):
                take(context)
            with pytest.raises(LostBatchError, match="recovered by a replay"):
                take(context)
            assert outcomes(context)[-1] == ("lost", None)
            assert [take(context).batch_number for _ in range(7 - dropped)] == [*range(dropped, 6), None]
            assert [batch.batch_number for batch in context.ledger.batches()] == [0, 1, 2, 3, 4, 5]
            assert list((tmp_path / "lake" / "landing").rglob("*.json*")) != []
            context.close()

    @pytest.mark.parametrize("lost", [True, False], ids=["lost", "ahead"])
    def test_replay_cut_off(self, tmp_path: Path, lost: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
        """A replay that cannot be begun is made up for by the next call, also when the source is at its end by then."""
        with running_feed({"APPRAISER_FEED_DROP": "5"} if lost else {}) as url:
            context = open_context(tmp_path, url)
            for _ in range(5 if lost else 4):
                take(context)
            if lost:
                with pytest.raises(LostBatchError):
                    take(context)
            else:
                ask(url)
            restart = context.source.restart
            monkeypatch.setattr(context.source, "restart", refuse)
            for _ in range(2):
                with pytest.raises(SourceError, match="not now"):
                    take(context)
            monkeypatch.setattr(context.source, "restart", restart)
            expected = [5, None] if lost else [4, 5, None]
            assert [take(context).batch_number for _ in expected] == expected
            context.close()

    def test_silence(self, tmp_path: Path) -> None:
        """A source that is silent for too long has lost a batch; nothing asks it again by itself."""
        with running_feed({"APPRAISER_FEED_DELAY": "3"}) as url:
            context = open_context(tmp_path, url, feed_timeout=1)
            with pytest.raises(LostBatchError, match="Timeout"):
                take(context)
            assert outcomes(context) == [("lost", None)]
            context.close()


class TestRefused:
    """What cannot be repaired."""

    def test_other_source(self, tmp_path: Path, feed: str) -> None:
        """Two sources in one ledger are refused, and the message says how to keep them apart."""
        context = open_context(tmp_path, feed)
        take(context)
        first = context.ledger.batch(0)
        assert first is not None
        context.ledger.save_batch(first.model_copy(update={"source": "mine.csv"}))
        with pytest.raises(OtherSourceError, match=r"serves 'simulator'.*batches of 'mine.csv'.*--fresh"):
            take(context)
        context.close()

    def test_group(self, tmp_path: Path, feed: str) -> None:
        """A status 400 with other words is not the end: it names what was refused."""
        context = open_context(tmp_path, feed)
        context.source.group_number = 77
        with pytest.raises(SourceRefusedError, match="group_number 77 and day 'Tuesday' with status 400"):
            take(context)
        context.close()

    def test_away(self, tmp_path: Path) -> None:
        """A source that is not there is an error before anything is recorded."""
        context = open_context(tmp_path, "http://127.0.0.1:9")
        with pytest.raises(SourceError, match="does not answer"):
            take(context)
        assert context.ledger.fetches() == []
        context.close()
