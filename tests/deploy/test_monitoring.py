"""The board and the alerts ask for metrics, and labels, that are exported."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.deploy.shipped import DEPLOY

BOARD = json.loads((DEPLOY / "grafana" / "jepa_ray.json").read_text())
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
OF_PROMETHEUS = {"instance", "job", "pod"}
OF_RAY = {"Location", "State", "GpuIndex"}


def panels() -> list[dict]:
    return [panel for panel in BOARD["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return asked + [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]


def exported() -> dict[str, set[str]]:
    """Our metrics as Prometheus sees them, and their labels."""
    from jepa_ray.confirm.meters import Meters as Confirm
    from jepa_ray.evaluate.embed_ray import counter as embedded
    from jepa_ray.prepare.metrics import Meters as Prepare
    from jepa_ray.train.meters import Meters as Train

    counters = [m for m in vars(Prepare("x")).values() if hasattr(m, "info")] + [embedded()]
    gauges = list(Train("/r", "/r", ["y"], steps=1)._gauges.values())
    gauges += Confirm("x", [], planned=1)._gauges
    names = [(f"ray_{m.info['name']}_total", m) for m in counters]
    names += [(f"ray_{m.info['name']}", m) for m in gauges]
    return {name: set(m.info["tag_keys"]) for name, m in names}


def test_each_metric_of_ours_is_exported_and_each_exported_one_is_shown():
    asked = {n for e in expressions() for n in re.findall(r"ray_jepa_ray_\w+", e)}
    assert asked == set(exported())


def test_each_metric_of_rays_is_one_that_rays_own_boards_show():
    import ray.dashboard.modules.metrics.dashboards as boards

    theirs = "".join(p.read_text() for p in Path(boards.__path__[0]).glob("*panels.py"))
    names = {n for e in expressions() for n in re.findall(r"\bray_\w+", e)}
    for name in names - set(exported()):
        assert re.search(rf"\b{name}\b", theirs), name


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_uses_labels_that_its_metrics_have(panel):
    assert panel["description"]
    for target in panel["targets"]:
        names = re.findall(r"ray_jepa_ray_\w+", target["expr"])
        allowed = set().union(OF_PROMETHEUS, OF_RAY, *(exported()[name] for name in names))
        used = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
        used += re.findall(r"[{,]\s*(\w+)=~?\"", target["expr"])
        used += [x for g in re.findall(r"by \(([^)]+)\)", target["expr"]) for x in g.split(", ")]
        assert set(used) <= allowed


def test_each_panel_has_a_place_of_its_own():
    places = [
        (x, y)
        for panel in BOARD["panels"]
        for g in [panel["gridPos"]]
        for x in range(g["x"], g["x"] + g["w"])
        for y in range(g["y"], g["y"] + g["h"])
    ]
    assert len(places) == len(set(places))
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


@pytest.mark.parametrize("name", ["prometheus.yml", "kubernetes.yml"])
def test_prometheus_reads_the_alerts_and_no_target_is_written_down(name):
    config = yaml.safe_load((DEPLOY / "prometheus" / name).read_text())
    assert config["rule_files"] == ["alerts.yml"]
    assert all("static_configs" not in job for job in config["scrape_configs"])


def test_each_alert_is_explained():
    text = (DEPLOY.parent / "docs" / "monitoring.md").read_text()
    for group in ALERTS["groups"]:
        assert all(f"`{rule['alert']}`" in text for rule in group["rules"])
