"""The card in words: what it says, from which records."""

import datetime as dt

import pytest
from tiny_champion import build_market, train_tiny

from appraiser_model import Bundle, measure, segment_scores
from appraiser_model.card_text import card_in_words
from appraiser_schema import Decision, DecisionKind, Evaluation, ModelVersion, Outcome, Reason
from appraiser_schema.frames import to_columns

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """A small model."""
    return train_tiny()


@pytest.fixture
def model(bundle: Bundle) -> ModelVersion:
    """What the registry has of it."""
    card = bundle.card
    return ModelVersion(
        version=4,
        aliases=(),
        created_at=card.created_at,
        run_id="run-of-it",
        batches=card.batches,
        rows_train=card.rows_train,
        simulated_data=card.simulated_data,
        snapshot_id=card.snapshot_id,
        code_version=card.code_version,
        features_fingerprint=card.features_fingerprint,
        bundle_digest=bundle.digest,
        metrics={},
    )


@pytest.fixture(scope="module")
def evaluation(bundle: Bundle) -> Evaluation:
    """How it did on 1,500 test listings, beside a champion of cheap houses."""
    test = build_market(1500, seed=8)
    appraised = bundle.model.appraise(to_columns(test))
    figures = measure(test["price"], appraised)
    return Evaluation(
        batch_number=0,
        snapshot_id=1,
        evaluated_at=NOON,
        rows_test=test.height,
        challenger_version=4,
        champion_version=3,
        challenger=figures,
        champion=figures | {"mae": 99_999.0},
        champion_prices_usd=(10_000.0, 200_000.0),
        rows_beyond_champion=750,
        segments=segment_scores(test, appraised, appraised.price_usd),
    )


DECISION = Decision(
    batch_number=0,
    kind=DecisionKind.PROMOTION,
    outcome=Outcome.REJECT,
    summary="It is worse.",
    reasons=(Reason(rule="better_than_the_mean", passed=False, text="A cell | with a bar.\nAnd two lines."),),
    decided_at=NOON,
    model_version=4,
)


class TestCard:
    """`card_in_words`."""

    def test_whole(self, bundle: Bundle, model: ModelVersion, evaluation: Evaluation) -> None:
        """Every section stands in its place, with what identifies the version."""
        text = card_in_words(bundle.card, model, evaluation, DECISION)
        headings = [line for line in text.splitlines() if line.startswith("#")]
        assert headings == [
            "# House prices, version 4",
            "## What it is for",
            "## What it is not for",
            "## What it learned from",
            "## How it works",
            "## How good it is",
            "## By part of the market",
            "## Known weaknesses",
            "## How it was decided",
            "## Where it comes from",
        ]
        for words in ("run-of-it", bundle.digest, "xgboost ", "It was rejected.", "99,999 USD"):
            assert words in text
        assert "Nothing real: its listings are simulated" in text

    def test_same(self, bundle: Bundle, model: ModelVersion, evaluation: Evaluation) -> None:
        """The same records give the same text."""
        assert card_in_words(bundle.card, model, evaluation) == card_in_words(bundle.card, model, evaluation)

    def test_parts(self, bundle: Bundle, model: ModelVersion, evaluation: Evaluation) -> None:
        """Each part has its errors and its coverage; the worst large one is a known weakness."""
        text = card_in_words(bundle.card, model, evaluation)
        part = next(part for part in evaluation.segments if part.name == "Massachusetts")
        assert part.challenger_coverage is not None
        row = next(line for line in text.splitlines() if line.startswith("| Massachusetts |"))
        assert f"{part.rows:,} | {part.challenger_mdape:.1f} % | {part.challenger_mae:,.0f} USD" in row
        assert row.endswith(f"| {part.challenger_coverage:.1f} % |")
        large = [part for part in evaluation.segments if part.rows >= 200 and part.kind != "batch"]
        worst = max(large, key=lambda part: part.challenger_mdape or 0)
        assert f"test listings or more: {worst.name} ({worst.challenger_mdape:.1f} %)" in text

    def test_widening(self, bundle: Bundle, model: ModelVersion, evaluation: Evaluation) -> None:
        """A market that was widening is a known weakness."""
        text = card_in_words(bundle.card, model, evaluation)
        assert "50.0 % of the test listings lay outside the prices that the champion of that time knew, 10,000" in text

    def test_table_cells(self, bundle: Bundle, model: ModelVersion) -> None:
        """What a reason says cannot break the table that it stands in."""
        text = card_in_words(bundle.card, model, None, DECISION)
        assert "| better than the mean | no | A cell \\| with a bar. And two lines. |" in text

    def test_bare(self, bundle: Bundle, model: ModelVersion) -> None:
        """Before it was tested and decided about, it says so."""
        text = card_in_words(bundle.card.model_copy(update={"inputs": None, "prices_usd": None}), model)
        assert "It was not tested yet." in text
        assert "Nothing was decided yet." in text
        assert "By part of the market" not in text
