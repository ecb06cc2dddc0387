"""The dashboard and the alerts ask for numbers there are; the document names all of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from observing import read

from gramdex.rpc.observing.metrics import Metrics
from gramdex.rpc.server.service import Told

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "tools" / "dashboards" / "gramdex.json"
ALERTS = ROOT / "tools" / "dashboards" / "alerts.yml"
NAME = re.compile(r"\b(?:gramdex|process)_[a-z_]+\b")


@pytest.fixture(scope="module")
def content() -> bytes:
    metrics = Metrics()
    metrics.ended(Told("Count", 0.001, 1, 1), metrics.began("Count", None))
    return metrics.render()[0]


@pytest.fixture(scope="module")
def names(content: bytes) -> set[str]:
    return {name for name, _ in read(content)}


def panels() -> list[dict[str, Any]]:
    return json.loads(DASHBOARD.read_text())["panels"]


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", ())]


def test_the_dashboard_asks_for_numbers_there_are(names: set[str]) -> None:
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert len(asked) > 15
    assert asked <= names


def test_the_alerts_ask_for_numbers_there_are(names: set[str]) -> None:
    lines = [line.split("#")[0] for line in ALERTS.read_text().splitlines()]
    asked = set(NAME.findall("\n".join(lines)))
    assert len(asked) > 5
    assert asked <= names


def test_every_number_is_drawn_or_is_no_use_drawn(names: set[str]) -> None:
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    ours = {name for name in names if name.startswith("gramdex_")}
    parts = {f"gramdex_call_duration_seconds_{part}" for part in ("count", "sum")}
    assert ours - asked == parts | {"gramdex_build_info"}


def test_it_is_a_dashboard() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["schemaVersion"] >= 39
    assert dashboard["title"] == "Gramdex"
    variables = {each["name"]: each for each in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    places = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & places
        places |= cells
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == panel["datasource"]["uid"] == "${datasource}"
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval"}
            assert used <= variables.keys()
    kinds = {panel["type"] for panel in dashboard["panels"]}
    assert kinds == {"row", "stat", "timeseries", "heatmap"}


def test_the_document_has_every_number(content: bytes) -> None:
    """The table of the document: name, labels and kind of each, no more and no less."""
    text = (ROOT / "docs" / "OBSERVING.md").read_text()
    rows = re.findall(r"(?m)^\| `(gramdex_\w+)` \| (.*?) ?\| (\w+) \|", text)
    written = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, labels, kind in rows}
    kinds = dict(re.findall(r"(?m)^# TYPE (gramdex_\w+) (\w+)$", content.decode()))
    labels: dict[str, set[str]] = {name: set() for name in kinds}
    for name, held in read(content):
        base = re.sub("_(bucket|count|sum)$", "", name)
        if base in kinds:
            labels[base] |= {label for label, _ in held} - {"le"}
    assert written == {name: (kind, labels[name]) for name, kind in kinds.items()}


def test_promtool_takes_the_alerts() -> None:
    promtool = shutil.which(os.environ.get("GRAMDEX_PROMTOOL", "promtool"))
    if promtool is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run(
        [promtool, "check", "rules", ALERTS], capture_output=True, check=False, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


ALERT_TESTS = """
rule_files: [ALERTS]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'gramdex_index_damaged{instance="a"}', values: "0 0 1 1 0"}
      - {series: 'gramdex_ready{instance="a"}', values: "1 0 0 0 0 0 1"}
      - {series: 'gramdex_calls_total{instance="a", code="OK"}', values: "0+100x30"}
      - {series: 'gramdex_calls_total{instance="a", code="INTERNAL"}', values: "0+5x30"}
      - {series: 'gramdex_calls_total{instance="b", code="OK"}', values: "0+1000x30"}
      - {series: 'gramdex_calls_total{instance="b", code="INTERNAL"}', values: "0+5x30"}
      - {series: 'gramdex_refused_calls_total{instance="a"}', values: "0x10 1+1x20"}
    alert_rule_test:
      - {eval_time: 1m, alertname: GramdexDamagedIndex}
      - eval_time: 3m
        alertname: GramdexDamagedIndex
        exp_alerts: [{exp_labels: {severity: critical, instance: a}}]
      - {eval_time: 2m, alertname: GramdexNotReady}
      - eval_time: 4m
        alertname: GramdexNotReady
        exp_alerts: [{exp_labels: {severity: critical, instance: a}}]
      - {eval_time: 6m, alertname: GramdexNotReady}
      - eval_time: 20m
        alertname: GramdexErrors
        exp_alerts: [{exp_labels: {severity: critical, instance: a}}]
      - {eval_time: 10m, alertname: GramdexRefusing}
      - eval_time: 25m
        alertname: GramdexRefusing
        exp_alerts: [{exp_labels: {severity: warning, instance: a}}]
"""


def test_the_alerts_go_off_when_they_should(tmp_path: Path) -> None:
    promtool = shutil.which(os.environ.get("GRAMDEX_PROMTOOL", "promtool"))
    if promtool is None:
        pytest.skip("promtool is not installed")
    rules = re.sub(r"(?m)^        annotations:\n(?:          .*\n)+", "", ALERTS.read_text())
    (tmp_path / "rules.yml").write_text(rules)  # without words, which would have to be repeated
    tests = ALERT_TESTS.replace("ALERTS", "rules.yml")
    (tmp_path / "tests.yml").write_text(tests)
    checked = subprocess.run(
        [promtool, "test", "rules", "tests.yml"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
