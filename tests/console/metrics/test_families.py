"""Every metric keeps to Prometheus' conventions, is documented, and is what boards and rules name."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.console.metrics.conftest import Looked

from turbo_trader.console.metrics.daemon_metrics import Metrics
from turbo_trader.console.metrics.families import FAMILIES, PREFIX, Kind
from turbo_trader.trader.commands import CancelOrder, Note, PlaceOrder, Purpose, SetLeverage, SetStops
from turbo_trader.trader.events import Outcome

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "ops" / "prometheus" / "alerts.yml"
BOARD = ROOT / "ops" / "grafana" / "turbo-trader.json"
NAME = re.compile(r"\b((?:turbo_trader|process|python)_[a-z_]+)")


def scrape(looked: Any) -> str:
    metrics = Metrics("127.0.0.1", 1, public=False)
    metrics._inside = looked
    for tier, reason, net in (("A", "target", "1.5"), ("B", "stop", "-1")):
        metrics.said.note(Note(1, "trade", "info", {"tier": tier, "reason": reason, "net": Decimal(net)}))
    answer = asyncio.run(metrics.answer("/metrics", ""))
    assert answer is not None
    return answer.body.decode()


def named(text: str) -> set[str]:
    """Metrics that a text names, histograms by their own name."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in NAME.findall(text)}


def test_names_units_and_help_keep_to_the_conventions() -> None:
    for family in FAMILIES:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", family.name)
        assert (family.kind is Kind.COUNTER) == family.name.endswith("_total"), family.name
        assert not re.search(r"_(ms|milliseconds|minutes|hours|percent|bytes_total)\b", family.name)
        if family.kind is Kind.HISTOGRAM:
            assert family.name.endswith("_seconds")
        assert family.help.endswith(".")
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_the_table_of_the_docs_is_the_declaration() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith(f"| `{PREFIX}")]
    assert rows == [
        f"| `{PREFIX}{each.name}` | {each.kind} | {', '.join(each.labels) or '-'} | {each.help} |"
        for each in FAMILIES
    ]


def test_a_scrape_has_every_family_and_can_be_read(looked: Looked) -> None:
    found = {family.name: family for family in text_string_to_metric_families(scrape(looked))}
    for family in FAMILIES:
        read = found[PREFIX + family.name.removesuffix("_total")]
        assert read.type == family.kind
        assert read.documentation == family.help
        for sample in read.samples:
            assert set(sample.labels) - {"le"} == set(family.labels)


def test_a_daemon_that_starts_has_a_scrape_too() -> None:
    text = scrape(Looked(None))
    assert "turbo_trader_ready 0.0" in text
    assert "# TYPE turbo_trader_equity_usdt gauge" in text
    assert "\nturbo_trader_equity_usdt " not in text  # not known is not 0


def test_commands_trades_and_requests_are_counted(looked: Looked) -> None:
    meter = looked.meter
    order: dict[str, Any] = {
        "symbol": "B",
        "side": 1,
        "qty": Decimal(1),
        "order_type": "Limit",
        "time_in_force": "IOC",
    }
    for purpose, outcome in (
        (Purpose.ENTRY, Outcome.CONFIRMED),
        (Purpose.ENTRY, Outcome.REJECTED),
        (Purpose.CLOSE, Outcome.UNKNOWN),
    ):
        meter.answered(PlaceOrder(id="1", reduce_only=False, purpose=purpose, **order), outcome)
    meter.answered(CancelOrder("2", "B"), Outcome.CONFIRMED)
    meter.answered(SetStops("3", "B", None, None), Outcome.CONFIRMED)
    meter.answered(SetLeverage("4", "B", Decimal(5)), Outcome.CONFIRMED)
    for seconds in (0.002, 0.2, 30.0):
        meter.requested("orders", seconds)
    text = scrape(looked)
    for line in (
        'commands_total{command="entry",outcome="confirmed"} 1.0',
        'commands_total{command="entry",outcome="rejected"} 1.0',
        'commands_total{command="close",outcome="unknown"} 1.0',
        'commands_total{command="cancel",outcome="confirmed"} 1.0',
        'commands_total{command="stops",outcome="confirmed"} 1.0',
        'commands_total{command="leverage",outcome="confirmed"} 1.0',
        'trades_total{reason="target",result="won",tier="A"} 1.0',
        'trades_total{reason="stop",result="lost",tier="B"} 1.0',
        'request_seconds_bucket{lane="orders",le="0.0025"} 1.0',
        'request_seconds_bucket{lane="orders",le="10"} 2.0',
        'request_seconds_bucket{lane="orders",le="+Inf"} 3.0',
        'request_seconds_count{lane="orders"} 3.0',
        'log_events_total{event="trade",level="info"} 2.0',
    ):
        assert PREFIX + line in text, line


def test_positions_without_a_stop_are_counted(looked: Looked) -> None:
    assert looked.stage is not None
    sent = looked.stage.hold()
    assert "turbo_trader_unprotected_positions 0.0" in scrape(looked)
    looked.stage.deliver(looked.stage.position(str(sent.qty), None, None))
    looked.stage.clock(2)
    text = scrape(looked)
    assert "turbo_trader_positions 1.0" in text
    assert "turbo_trader_unprotected_positions 1.0" in text
    assert "turbo_trader_unprotected_seconds_total 2.0" in text


@pytest.mark.parametrize("path", [RULES, BOARD], ids=["rules", "board"])
def test_rules_and_board_name_only_metrics_there_are(path: Path, looked: Looked) -> None:
    declared = set(re.findall(r"^# TYPE (\S+)", scrape(looked), re.MULTILINE))
    found = named(path.read_text())
    assert len(found) > 10
    assert found <= declared


def test_every_metric_is_on_the_board_or_in_a_rule_but_few() -> None:
    shown = named(BOARD.read_text()) | named(RULES.read_text())
    rest = {family.name for family in FAMILIES} - {name.removeprefix(PREFIX) for name in shown}
    assert rest == {"reconciled", "time_speed_ratio", "capital_tier", "requests_total", "requests_in_flight"}


def test_rules_name_sections_of_the_runbook() -> None:
    sections = set(re.findall(r"^### (\S+)", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))
    runbooks = re.findall(r'runbook: "docs/operations.md#([a-z-]+)"', RULES.read_text())
    assert len(runbooks) == RULES.read_text().count("- alert:")
    assert set(runbooks) <= sections


def test_the_board_is_a_board() -> None:
    board = json.loads(BOARD.read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(target["expr"] for panel in panels for target in panel["targets"])
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


@pytest.mark.external("promtool")
def test_promtool_takes_a_scrape(looked: Looked) -> None:
    assert looked.stage is not None
    looked.stage.hold()
    looked.meter.requested("orders", 0.1)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=scrape(looked), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
