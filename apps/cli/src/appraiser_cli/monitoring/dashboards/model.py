"""The model: how old, how good, how sure, and whether the houses are still those it knows."""

from typing import Final

from appraiser_cli.monitoring.dashboards.panels import Dashboard, Panel, Query, Row, Unit


def _priced(share: float) -> str:
    return f'histogram_quantile({share}, sum by (le) (rate(appraiser_appraised_price_usd_bucket{{job="api"}}[15m])))'


_NOW: Final = Row(
    "Now",
    (
        Panel(
            "Champion",
            (Query("max(appraiser_pipeline_champion_version)", "version"),),
            Unit.NUMBER,
            "The version that the ledger names.",
            stat=True,
            width=4,
        ),
        Panel(
            "Version that serves",
            (Query('max(appraiser_champion_version{job="api"})', "version"),),
            Unit.NUMBER,
            "What the API serves; another version than the champion for ten minutes is the alert ChampionNotServed.",
            stat=True,
            width=4,
            words={"0": "none"},
        ),
        Panel(
            "Age of the model",
            (Query('time() - max(appraiser_champion_trained_timestamp_seconds{job="api"} > 0)', "age"),),
            Unit.SECONDS,
            "Since it was trained. Above 90 days is the alert ModelStale.",
            limits=(90 * 86_400,),
            stat=True,
            width=4,
        ),
        Panel(
            "Median error on test rows",
            (Query("max(appraiser_pipeline_champion_mdape_percent)", "MdAPE"),),
            Unit.PERCENT,
            "Half of the newest test prices are nearer than this to what the champion says.",
            stat=True,
            width=4,
        ),
        Panel(
            "Coverage on test rows",
            (Query("max(appraiser_pipeline_champion_coverage_percent)", "coverage"),),
            Unit.PERCENT,
            "Test prices inside the interval: 90 % is promised, outside of 85 to 95 % is TestCoverageOutOfBand.",
            limits=(85,),
            low=True,
            stat=True,
            width=4,
        ),
        Panel(
            "Sales that are known",
            (Query('max(appraiser_live_appraisals{job="api"})', "sales"),),
            Unit.NUMBER,
            "Of the version with the most. From 200 on the live figures are held against their limits.",
            stat=True,
            width=4,
        ),
    ),
)

_LIVE: Final = Row(
    "Against sales",
    (
        Panel(
            "Median error, live and in the test",
            (
                Query('max by (model_version) (appraiser_live_mdape{job="api"})', "live, version {{model_version}}"),
                Query("max(appraiser_pipeline_champion_mdape_percent)", "test, champion"),
            ),
            Unit.PERCENT,
            "A live error a fifth above the test's, with 200 sales or more, is the alert LiveErrorGrown.",
        ),
        Panel(
            "Coverage, live and in the test",
            (
                Query('max by (model_version) (appraiser_live_coverage{job="api"})', "live, version {{model_version}}"),
                Query("max(appraiser_pipeline_champion_coverage_percent)", "test, champion"),
            ),
            Unit.PERCENT,
            "Prices inside the interval that was answered. The lines are the band of the promotion policy.",
            limits=(85, 95),
        ),
        Panel(
            "Within 10 %, and the ratio of appraisal to sale",
            (
                Query(
                    'max by (model_version) (appraiser_live_ppe10{job="api"})', "within 10 %, version {{model_version}}"
                ),
                Query(
                    '100 * max by (model_version) (appraiser_live_median_ratio{job="api"})',
                    "median ratio, version {{model_version}}",
                ),
            ),
            Unit.PERCENT,
            "A median ratio of 100 % is neither too high nor too low.",
        ),
    ),
)

_HOUSES: Final = Row(
    "The houses that are asked about",
    (
        Panel(
            "Drift by field",
            (Query('max by (field) (appraiser_live_drift_psi{job="api"})', "{{field}}"),),
            Unit.NUMBER,
            "Population stability index of the latest listings against the training's. Below 0.1 is none, above 0.25 a "
            "shift (Siddiqi, 2006) and for half an hour the alert InputDrift. Told from 200 listings on.",
            limits=(0.25,),
        ),
        Panel(
            "Prices that were answered",
            (Query(_priced(0.1), "10 of 100"), Query(_priced(0.5), "half"), Query(_priced(0.9), "90 of 100")),
            Unit.USD,
            "Over a quarter of an hour.",
        ),
        Panel(
            "Width of the interval, and appraisals with warnings",
            (
                Query(
                    "histogram_quantile(0.5,"
                    ' sum by (le) (rate(appraiser_interval_width_ratio_bucket{job="api"}[15m])))',
                    "median width by price",
                ),
                Query(
                    'sum(rate(appraiser_appraisals_with_warnings_total{job="api"}[15m]))'
                    ' / (sum(rate(appraiser_appraised_price_usd_count{job="api"}[15m])) > 0)',
                    "with a warning",
                ),
            ),
            Unit.SHARE,
            "A warning says that a house is unlike those of the training.",
        ),
    ),
)

_TRAINING: Final = Row(
    "Training and promotion",
    (
        Panel(
            "Drift of the newest batch",
            (
                Query("max by (rule) (appraiser_pipeline_drift_psi)", "{{rule}}"),
                Query("max by (rule) (appraiser_pipeline_drift_limit_psi)", "limit, {{rule}}"),
            ),
            Unit.NUMBER,
            "Index of the price and of the feature that moved most. Above its limit a new model is trained by itself.",
        ),
        Panel(
            "Champion and challenger, last evaluation",
            (
                Query(
                    "max by (role, model_version) (appraiser_pipeline_evaluation_mae_usd)",
                    "{{role}} (version {{model_version}})",
                ),
            ),
            Unit.USD,
            "Mean absolute error on the same rows. 3 % less makes the challenger the champion.",
        ),
        Panel(
            "Promotions and rejections",
            (Query('sum by (outcome) (appraiser_pipeline_decisions{kind="promotion"})', "{{outcome}}"),),
            Unit.NUMBER,
            "All that were decided; './appraiser decisions' tells why.",
        ),
    ),
)

MODEL: Final = Dashboard(
    "model",
    "Appraiser: model quality and drift",
    "Is it the model that was promoted, is it young enough, do its intervals hold, are the houses those it knows?",
    ("model",),
    (_NOW, _LIVE, _HOUSES, _TRAINING),
)
