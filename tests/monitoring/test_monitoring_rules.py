"""The alerts: their files, their cases, and what is said of them where something is wrong."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_stand import program

from appraiser_cli.home import ROOT
from appraiser_cli.monitoring.alerts import ALERTMANAGER, RUNBOOKS, alert_faults
from appraiser_cli.monitoring.rules import RULES, read_rules

CASES: Final = Path(__file__).parent / "rules"
CONFIGURATIONS: Final = (RULES.parent / "prometheus.yml", Path("gitops/platform/prometheus/base/prometheus.yml"))
"""Prometheus's own, in compose and in the cluster."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that are checked, to be broken."""
    for folder in (RULES, RUNBOOKS):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / ALERTMANAGER, tmp_path / ALERTMANAGER)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    """Write something else into a file, once."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


class TestRules:
    """What promtool says."""

    def test_prometheus_reads_them(self) -> None:
        """Prometheus's own checker finds nothing wrong with the rules and the configuration that names them."""
        promtool = program("promtool")
        rules = [str(path) for path in sorted((ROOT / RULES).glob("*.rules.yaml"))]
        subprocess.run([promtool, "check", "rules", "--lint-fatal", *rules], check=True, capture_output=True)
        # Debian's promtool is built without discovery in Kubernetes, so the cluster's file is beyond it.
        config = [promtool, "check", "config", "--syntax-only", str(ROOT / CONFIGURATIONS[0])]
        subprocess.run(config, check=True, capture_output=True)

    def test_both_places_ask_the_same_services(self) -> None:
        """A rule that goes by a job finds it in compose and in the cluster; the cluster asks its nodes as well."""
        compose, cluster = ({job["job_name"] for job in _settings(path)["scrape_configs"]} for path in CONFIGURATIONS)
        assert cluster - compose == {"kubelet"}
        assert compose <= cluster
        named = {job for rule in read_rules(ROOT) for job in re.findall(r'job="(\w+)"', rule.expression)}
        assert named <= compose

    def test_both_places_watch_the_same_rules(self) -> None:
        """The same files are read, and Alertmanager is told, in both."""
        compose, cluster = map(_settings, CONFIGURATIONS)
        assert (compose["rule_files"], compose["alerting"]) == (cluster["rule_files"], cluster["alerting"])

    def test_each_alert_fires_and_stays_silent(self) -> None:
        """Every case of every alert comes out as it is written."""
        cases = [str(path) for path in sorted(CASES.glob("*.test.yaml"))]
        done = subprocess.run(
            [program("promtool"), "test", "rules", *cases], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_every_alert_has_both_cases(self) -> None:
        """Of each there is a case in which it fires, and one in which it does not."""
        cases: dict[str, set[bool]] = {alert.name: set() for alert in read_rules(ROOT) if alert.is_alert}
        for path in CASES.glob("*.test.yaml"):
            for test in yaml.load(path.read_text(), yaml.CSafeLoader)["tests"]:
                for case in test["alert_rule_test"]:
                    cases[case["alertname"]].add(bool(case["exp_alerts"]))
        assert [alert for alert, expected in cases.items() if expected != {True, False}] == []


def _settings(path: Path) -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load((ROOT / path).read_text())
    return settings


class TestAlertFaults:
    """What is checked of alerts and routes."""

    def test_nothing_is_wrong(self) -> None:
        """Every alert has its labels, its words and its page, and every route goes by a label that there is."""
        assert alert_faults(ROOT) == []

    @pytest.mark.parametrize(
        ("old", "new", "problem", "cure"),
        [
            ("severity: critical", "severity: urgent", "severity 'urgent'", "critical, warning"),
            ("component: api", "component: gateway", "component 'gateway'", "api, model"),
            ("severity: critical, ", "", "severity None", "critical, warning"),
            ("component: api}", "component: api, team: a}", "label 'team'", "Remove it"),
            ("api-down.md", "api-gone.md", "no such page", "Write the page"),
            ("summary: No instance of the API answers.", "x: y", "no summary", "one sentence"),
            ("alert: ApiInstanceDown", "alert: ApiDown", "2 alerts named ApiDown", "of its own"),
            ("sum(up{job=", "sum up({job=", "no PromQL", "Correct 'expr'"),
        ],
    )
    def test_names_an_alert_that_is_wrong(self, copy: Path, old: str, new: str, problem: str, cure: str) -> None:
        """The file, the alert with the value, and what to do."""
        file = RULES / "api.rules.yaml"
        change(copy / file, old, new)
        faults = [fault for fault in alert_faults(copy) if problem in fault.problem]
        assert faults, alert_faults(copy)
        assert faults[0].file == file
        assert cure in faults[0].cure

    @pytest.mark.parametrize(
        ("old", "new", "problem"),
        [
            ('severity="critical"', 'level="critical"', "no alert has that label"),
            ('severity="critical"', 'severity="crit"', "severity 'crit', which no alert has"),
            ("receiver: page", "receiver: pager", "no receiver 'pager'"),
            ("equal: [component]", "equal: [service]", "'service', which no alert has"),
        ],
    )
    def test_names_a_route_that_is_wrong(self, copy: Path, old: str, new: str, problem: str) -> None:
        """A route that no alert can take is found in Alertmanager's file."""
        change(copy / ALERTMANAGER, old, new)
        assert [fault.file for fault in alert_faults(copy) if problem in fault.problem] == [ALERTMANAGER]

    def test_a_page_names_its_alert(self, copy: Path) -> None:
        """Whoever was woken by an alert finds its name on the page."""
        page = copy / RUNBOOKS / "slow.md"
        page.write_text(page.read_text(encoding="utf-8").replace("ApiSlow", "it"), encoding="utf-8")
        (fault,) = alert_faults(copy)
        assert (fault.file, "ApiSlow" in str(fault)) == (RUNBOOKS / "slow.md", True)
