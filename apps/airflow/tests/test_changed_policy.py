"""Thresholds for one run."""

from pathlib import Path

import pytest
from pipeline_stand import settings_in

from appraiser_pipeline.changed_policy import THRESHOLDS, changed, read_thresholds
from appraiser_pipeline.errors import PolicyError
from appraiser_pipeline.policy import (
    MonitoringPolicy,
    PromotionPolicy,
    RetentionPolicy,
    TrainingPolicy,
    ValidationPolicy,
)


class TestChanged:
    """Settings with other thresholds."""

    def test_each_policy(self, tmp_path: Path) -> None:
        """A threshold reaches the policy that has it, as number or as text; the others stay."""
        settings = settings_in(tmp_path)
        found = changed(settings, {"least_mae_gain": "0.05", "most_drift": 0.3})
        assert found.promotion_policy == PromotionPolicy(least_mae_gain=0.05)
        assert found.training_policy == TrainingPolicy(most_drift=0.3)
        assert found.validation_policy == settings.validation_policy
        assert settings.promotion_policy == PromotionPolicy()

    def test_one_name_one_policy(self) -> None:
        """No name stands in two policies."""
        kinds = (ValidationPolicy, TrainingPolicy, PromotionPolicy, MonitoringPolicy, RetentionPolicy)
        fields = [name for kind in kinds for name in kind.model_fields]
        assert sorted(THRESHOLDS) == sorted(fields)

    def test_dry_run(self, tmp_path: Path) -> None:
        """A run is dry where it is asked for or configured."""
        plain, dry = settings_in(tmp_path), settings_in(tmp_path, dry_run=True)
        assert [changed(plain, {}).dry_run, changed(plain, {}, dry_run=True).dry_run] == [False, True]
        assert changed(dry, {}).dry_run

    @pytest.mark.parametrize(
        ("thresholds", "words"),
        [
            (
                {"least_gain": 0.05},
                "'least_gain' = 0.05 is no threshold; there are days_between_requests",
            ),
            ({"least_mae_gain": "much"}, "'least_mae_gain' = 'much' is refused: input should be a valid number"),
            ({"most_coverage": 120}, "'most_coverage' = 120 is refused: input should be less than or equal to 100"),
        ],
    )
    def test_refused(self, tmp_path: Path, thresholds: dict[str, object], words: str) -> None:
        """An unknown name and a wrong value are refused, with name, value and rule."""
        with pytest.raises(PolicyError) as caught:
            changed(settings_in(tmp_path), thresholds)
        assert words in str(caught.value)


class TestRead:
    """Thresholds as the command line names them."""

    def test_pairs(self) -> None:
        """Names and values stand around an equals sign."""
        assert read_thresholds(["most_drift=0.3", "least_rows = 10"]) == {"most_drift": "0.3", "least_rows": "10"}

    @pytest.mark.parametrize("text", ["most_drift", "most_drift=", "=3"])
    def test_incomplete(self, text: str) -> None:
        """Half a threshold is refused, with what to write."""
        with pytest.raises(PolicyError, match="NAME=VALUE"):
            read_thresholds([text])
