from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.cells import cell_len

from turbo_trader.console.screen.board import KEYS, board
from turbo_trader.console.screen.snapshot import Snapshot
from turbo_trader.console.screen.styled_text import way
from turbo_trader.market.rows import SECOND
from turbo_trader.trader.commands import Note

Seen = Callable[..., Snapshot]


def text(snapshot: Snapshot, width: int, height: int) -> list[str]:
    return [each.plain for each in board(snapshot, width, height)]


@pytest.mark.parametrize("width", [1, 20, 60, 61, 79, 80, 100, 109, 110, 120, 159, 160, 200, 333])
@pytest.mark.parametrize("height", [1, 5, 14, 15, 24, 40, 60, 99])
def test_lines_fill_the_terminal_and_none_is_wider(seen: Seen, width: int, height: int) -> None:
    lines = text(seen(), width, height)
    assert len(lines) == height
    assert max(map(cell_len, lines)) <= width
    assert not any("\n" in each for each in lines)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_positions_stand_above_limits_symbols_and_events(seen: Seen, width: int, height: int) -> None:
    lines = text(seen(), width, height)

    def row(part: str) -> int:
        return next(i for i, each in enumerate(lines) if part in each)

    assert row("position ") < row("XRP  ") < row("equity ") < row("drawdown  ") < row("symbol ")
    assert lines[-1] == KEYS
    if width < 160:
        assert row("symbol ") < row("events ")


def test_position_shows_prices_zone_result_and_time_left(seen: Seen) -> None:
    (row,) = [each for each in text(seen(), 80, 24) if each.startswith("XRP ")][:1]
    assert row.split() == [
        "XRP",
        "long",
        "224.26",
        "2.4114",
        "2.4231",
        "2.3969",
        "2.4476",
        "1",
        "+1.088",
        "24:48",
    ]


def test_extensions_of_the_target_stand_with_the_zone(seen: Seen) -> None:
    (row,) = [each for each in text(seen(), 80, 24) if each.startswith("1000PEPE ")][:1]
    assert " 2+2 " in row


def test_symbols_nearest_to_a_trade_come_first(seen: Seen) -> None:
    lines = text(seen(), 120, 40)
    first = next(i for i, each in enumerate(lines) if each.startswith("symbol "))
    passed = [
        int(part[0]) for each in lines[first + 1 : first + 16] for part in each.split() if part.endswith("/9")
    ]
    assert len(passed) == 15
    assert passed == sorted(passed, reverse=True)


@pytest.mark.parametrize(
    "reason",
    [
        "every gate passed", "as many positions open as allowed", "EV -3.1 bp, needs +5.0 bp",
        "expected profit 10.0 bp, needs 13.0 bp", "edge 8.0 bp, needs 10.0 bp", "signals give neither A nor B",
        "confidence 0.44, needs 0.50", "SNR 0.62, needs 1.00", "no valid forecast", "data 8.0 s old, limit 5 s",
        "spread 14.0 bp, limit 10.0 bp", "mark off last 12.2 bp, limit 10.0 bp",
        "warming up: 300 s of prices",
    ],
)  # fmt: skip
def test_what_a_symbol_needs_is_said_with_its_figures(seen: Seen, reason: str) -> None:
    assert any(each.endswith(reason) for each in text(seen(), 200, 60) + text(seen(), 150, 60))


def test_what_was_not_computed_shows_no_figure(seen: Seen) -> None:
    """A row that an early gate blocked has no expected value: not one of 0."""
    (row,) = [each for each in text(seen(), 120, 40) if "expected profit 10.0 bp" in each]
    assert "+0.0" not in row
    snapshot = seen()
    snapshot.scans = [replace(snapshot.scans[0], symbol="LTCUSDT", price=0.0)]  # no trade yet
    (row,) = [each for each in text(snapshot, 120, 40) if each.startswith("LTC ")]
    assert row.split()[:3] == ["LTC", snapshot.scans[0].side, "-"]


def test_a_price_is_shown_between_its_stop_and_its_target(seen: Seen) -> None:
    lines = text(seen(), 120, 40)
    (long,) = [each for each in lines if each.startswith("XRP ") and "24:48" in each]
    (short,) = [each for each in lines if each.startswith("1000PEPE ") and "0:45" in each]
    assert long.endswith("─────┼──●────────")  # entered above the stop, on its way to the target
    assert short.endswith("───●─┼───────────")  # its target lies below
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    ("stop", "price", "drawn"),
    [
        ("99", "100", "──●──────────────"),
        ("101", "101.5", "─●───────────────"),
        ("99", "98", "●─┼"),
        ("99", "120", "─●"),
    ],
)
def test_the_way_stays_within_its_columns(stop: str, price: str, drawn: str) -> None:
    shown = way(stop, "100", price, "107").plain
    assert len(shown) == 17
    assert shown.startswith(drawn) or shown.endswith(drawn)


def test_a_wide_terminal_draws_the_equity_of_the_last_minutes(seen: Seen) -> None:
    snapshot = seen()
    snapshot.equities.extendleft([(2, Decimal("18.2")), (1, Decimal("18.1"))])
    assert any("3 min ▁▄█" in each for each in text(snapshot, 120, 40))
    assert not any("▄" in each for each in text(snapshot, 80, 24))


def test_a_narrow_terminal_still_says_that_the_market_is_made_up(seen: Seen) -> None:
    snapshot = seen()
    snapshot.title = "turbo-trader paper: synthetic market, seed 1, edge 2: made up, proves nothing"
    assert text(snapshot, 80, 24)[0].endswith("  made up, proves nothing")


def test_no_reason_is_cut_from_120_columns_on(seen: Seen) -> None:
    assert not any(each.endswith("…") for each in text(seen(), 120, 40))


def test_a_gate_of_the_account_says_what_the_log_said(seen: Seen) -> None:
    gate = Note(
        1,
        "gate",
        "info",
        {"symbol": "ETHUSDT", "gate": "limits", "why": "ETHUSDT: 3 of 3 positions are open"},
    )
    lines = text(seen(events=(gate,)), 120, 40)
    assert any(each.startswith("ETH ") and each.endswith("7/9 3 of 3 positions are open") for each in lines)


def test_refused_entries_say_what_would_allow_them(seen: Seen) -> None:
    snapshot = seen(refusal="halted: session result -20.10%", lifted_by="`turbo-trader session new`")
    joined = " ".join(text(snapshot, 80, 24))
    assert "no entries: halted: session result -20.10%; needed:" in joined
    assert "`turbo-trader session new`" in joined


def test_no_figure_has_more_digits_than_a_person_reads(seen: Seen) -> None:
    long = Decimal("0.6666666666666666666666666667")
    lines = text(seen(session_result=long, equity=long * 100), 80, 24)
    assert not any(
        len(phrase) > 12 and phrase.replace(".", "").isdigit() for each in lines for phrase in each.split()
    )


def test_newest_events_stay_and_long_ones_wrap_at_reports(seen: Seen) -> None:
    many = tuple(
        Note(i * SECOND, "zone", "info", {"symbol": "BTCUSDT", "zone": 1, "stop": f"{i}"}) for i in range(50)
    )
    lines = text(seen(events=many), 80, 24)
    assert any(each.endswith("now 49") for each in lines)
    assert not any(each.endswith("now 1") for each in lines)


def test_a_lost_stream_is_named_on_the_first_line(seen: Seen) -> None:
    snapshot = seen()
    snapshot.daemon = {**snapshot.daemon, "public_up": False}
    assert "public stream DOWN" in text(snapshot, 80, 24)[0]


def test_before_the_first_scan_it_says_what_is_awaited() -> None:
    assert any("no scan yet" in each for each in text(Snapshot(), 80, 24))


def test_a_tiny_terminal_says_that_the_run_goes_on(seen: Seen) -> None:
    assert "The run continues." in " ".join(text(seen(), 40, 10))


def test_rows_are_of_the_symbols_that_the_start_names() -> None:
    snapshot = Snapshot(symbols=["AAAUSDT", "BTCUSDT"])
    begun = {"name": "started", "level": "info", "ts": 0, "fields": {"mode": "paper", "symbols": ["BTCUSDT"]}}
    snapshot.take({"events": [begun], "view": None, "scan": None})
    assert list(snapshot.symbols) == ["BTCUSDT"]
