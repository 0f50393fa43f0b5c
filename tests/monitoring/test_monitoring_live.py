"""A real Prometheus over the running services, and what of it reaches whoever is on call."""

from monitored import Monitored, appraise
from prometheus_stand import Watch
from running_api import wait_for

from appraiser_cli.home import ROOT
from appraiser_cli.monitoring.dashboards import DASHBOARDS
from appraiser_cli.monitoring.exported import third_parties
from appraiser_cli.monitoring.queries import asked

NOT_HERE = {
    name for party in third_parties(ROOT) for name in party.metrics if party.name not in {"prometheus", "alertmanager"}
}
"""Metrics of programs that are not started for this test; './appraiser check monitoring' starts more of them."""


class TestDashboards:
    """What Grafana would draw."""

    def test_every_query_of_ours_gives_data(self, watch: Watch, monitored: Monitored) -> None:
        """Once Prometheus has asked twice, no panel of a service of ours is empty."""
        queries = {query.text for dashboard in DASHBOARDS for panel in dashboard.panels for query in panel.queries}
        ours = {text for text in queries if not set(asked(text).labels) & NOT_HERE}
        assert len(ours) > 60
        empty: set[str] = set(ours)

        def all_there() -> bool:
            appraise(monitored, 5)
            empty.intersection_update({text for text in empty if not watch.ask(text)})
            return not empty

        try:
            wait_for(all_there)
        except AssertionError:
            raise AssertionError(f"no data for: {sorted(empty)}") from None


class TestAlertmanager:
    """Who is told what."""

    def test_a_critical_alert_reaches_the_pager(self, watch: Watch) -> None:
        """That there is no scheduler is told to 'page', with its words and its page."""
        wait_for(lambda: "SchedulerDown" in watch.receiver.alerts("page"))
        alert = watch.receiver.alerts("page")["SchedulerDown"]
        assert alert["labels"] == {"alertname": "SchedulerDown", "severity": "critical", "component": "pipeline"}
        assert alert["annotations"]["summary"].startswith("Airflow's scheduler gives no sign of life")
        assert alert["annotations"]["runbook_url"].endswith("docs/operations/pipeline.md")

    def test_a_warning_becomes_a_ticket(self, watch: Watch) -> None:
        """Four in five sales inside the intervals are too few, and that wakes nobody."""
        wait_for(lambda: "CoverageOutOfBand" in watch.receiver.alerts("ticket"))
        assert watch.receiver.alerts("ticket")["CoverageOutOfBand"]["labels"]["model_version"] == "1"
        assert "CoverageOutOfBand" not in watch.receiver.alerts("page")

    def test_a_greater_failure_keeps_warnings_silent(self, watch: Watch) -> None:
        """While the pipeline has no scheduler, nobody is told that a tenth of its last batch was refused."""
        wait_for(lambda: "CoverageOutOfBand" in watch.receiver.alerts("ticket"))
        assert watch.ask('ALERTS{alertname="QuarantineShare",alertstate="firing"}')
        assert not watch.receiver.alerts("ticket").keys() & {"QuarantineShare"}
