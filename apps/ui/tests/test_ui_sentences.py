"""Reasons, warnings and decisions in sentences, said from their figures."""

import datetime as dt
from typing import Any

import pytest

from appraiser_schema import Caution, CautionCode, Contribution, Decision, Reason, ReasonPart
from appraiser_ui.appraise import sentences
from appraiser_ui.figures import NBSP
from appraiser_ui.reasons import decision_in_words, part_name, reason_in_words, rule_name
from appraiser_ui.words import Language, speaking

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def contribution(field: str, value: float | str | None, effect_usd: float, typical: Any = None) -> Contribution:
    """What a field adds."""
    known = {"group": "place", "label": field, "effect_log": 0.0, "text": "Said by the API."}
    return Contribution.model_validate(
        known | {"feature": field, "value": value, "typical": typical, "effect_usd": effect_usd}
    )


class TestReasons:
    """What a field of the house adds."""

    @pytest.mark.parametrize(
        ("reason", "english", "spanish"),
        [
            (
                contribution("zip_code", "06016", 41_234),
                "The zip code 06016 adds $41,200 against a typical house.",
                f"El código postal 06016 suma US${NBSP}41.200 frente a una casa típica.",
            ),
            (
                contribution("bed", 1.0, -3_000, 3.0),
                "Having 1 bedroom takes off $3,000 against a typical house, which has 3 bedrooms.",
                f"Tener 1 habitación resta US${NBSP}3.000 frente a una casa típica, que tiene 3 habitaciones.",
            ),
            (
                contribution("acre_lot", None, 10),
                "Not knowing the area of the land makes next to no difference.",
                "No saber el área del terreno casi no cambia nada.",
            ),
            (
                contribution("status", "ready_to_build", 900),
                "Being ready to build adds $900 against a typical house.",
                f"Estar lista para construir suma US${NBSP}900 frente a una casa típica.",
            ),
        ],
    )
    def test_reason(self, reason: Contribution, english: str, spanish: str) -> None:
        """The sentence has the value, the dollars and what is typical, in the form of the language."""
        assert sentences.reason(reason) == english
        with speaking(Language.SPANISH):
            assert sentences.reason(reason) == spanish

    def test_a_field_that_the_page_does_not_know(self) -> None:
        """It is told in the words of the API."""
        assert sentences.reason(contribution("garage", 1.0, 500)) == "Said by the API."


class TestCautions:
    """In what a house is unlike the training data."""

    @pytest.mark.parametrize("code", list(CautionCode))
    def test_every_code_in_both_languages(self, code: CautionCode) -> None:
        """Every code has its own sentence, with nothing left to fill in."""
        caution = Caution(code=code, text="-", place="Ohio", around="Ohio", field="bed", figure=60, span=(1, 9))
        english = sentences.caution(caution)
        with speaking(Language.SPANISH):
            spanish = sentences.caution(caution)
        assert "-" not in {english, spanish}
        assert english != spanish
        assert "{" not in english + spanish

    def test_figures(self) -> None:
        """Figures have their unit and the form of the language."""
        text = "The living area is large."
        caution = Caution(
            code=CautionCode.NUMBER_OUTSIDE, text=text, field="house_size", figure=40_000, span=(600, 9_000)
        )
        with speaking(Language.SPANISH):
            said = sentences.caution(caution)
        assert "Área construida: 40.000 pies² está fuera" in said
        assert "de 600 pies² a 9.000 pies²" in said


REASONS = (
    Reason(rule="mae", passed=True, figure=-12.0, threshold=-3.0, text="Smaller."),
    Reason(
        rule="segments",
        passed=False,
        figure=14.2,
        threshold=10.0,
        text="Worse.",
        parts=(ReasonPart(name="state Utah", figure=14.2, threshold=10.0),),
    ),
)


class TestDecisions:
    """Decisions and their rules."""

    def test_in_english_the_ledger_speaks(self) -> None:
        """Its own sentence has more in it than the figures."""
        assert reason_in_words(REASONS[0]) == "Smaller."

    def test_in_spanish_from_the_figures(self) -> None:
        """Figure, threshold and part are said in Spanish."""
        with speaking(Language.SPANISH):
            assert (
                reason_in_words(REASONS[0])
                == f"En las mismas filas de prueba el error absoluto medio es 12{NBSP}% menor, "
                f"y debe ser 3{NBSP}% menor."
            )
            assert f"el estado Utah: su error absoluto medio es 14,2{NBSP}% mayor" in reason_in_words(REASONS[1])

    def test_a_rule_that_the_page_does_not_know(self) -> None:
        """It is told as the ledger told it, under its own name."""
        reason = Reason(rule="moon_phase", passed=True, text="Full.")
        with speaking(Language.SPANISH):
            assert (reason_in_words(reason), rule_name("moon_phase")) == ("Full.", "Moon phase")

    def test_a_rejection_is_told_by_what_it_failed(self) -> None:
        """The verdict comes first, then the rules that decided."""
        fields = {
            "batch_number": 3,
            "kind": "promotion",
            "outcome": "reject",
            "summary": "Rejected.",
            "reasons": REASONS,
        }
        decision = Decision.model_validate(fields | {"decided_at": NOW, "model_version": 4})
        assert decision_in_words(decision) == "Rejected."
        with speaking(Language.SPANISH):
            said = decision_in_words(decision)
        assert said.startswith("La versión 4 se rechaza. La parte del mercado")
        assert "mismas filas" not in said

    def test_parts(self) -> None:
        """Parts of the market and features have names in Spanish."""
        with speaking(Language.SPANISH):
            assert part_name("price band below 100,000 USD") == "la franja de precios below 100,000 USD"
            assert part_name("acre_lot") == "terreno"
            assert part_name("moon dark") == "moon dark"
