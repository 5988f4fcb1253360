"""S38, S40, S44: every change of the wallet has its cause; transfers are no profit; the session's limits survive restarts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.trader import events
from turbo_trader.trader.commands import Read, SetLeverage

D = Decimal


def closed_trade(stage: Any, price: str = "99.5", pnl: str | None = None) -> Any:
    sent = stage.hold()
    more = {} if pnl is None else {"pnl": D(pnl)}
    stage.deliver(stage.fill("", -1, sent.qty, price, closed=str(sent.qty), stop_type="StopLoss", **more))
    stage.deliver(stage.position("0"))
    return sent


def test_s38_the_wallet_is_start_plus_results_less_fees_plus_funding(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("", 1, sent.qty, "100", kind="Funding", fee=D("0.07")))
    stage.deliver(stage.fill("", -1, sent.qty, "101", closed=str(sent.qty)))
    ledger = stage.inside._state.ledger
    result = sent.qty * (D(101) - sent.price)
    assert ledger.results == result
    assert (ledger.fees, ledger.funding) == (D("0.02"), D("-0.07"))
    assert ledger.balance == D(1000) + result - D("0.02") - D("0.07")
    assert ledger.difference(stage.wallet(str(ledger.balance))) == 0
    trade = stage.notes("trade")[-1].fields
    assert trade["net"] == ledger.balance - 1000


def test_s38_nothing_is_called_a_transfer_while_an_entry_is_under_way(stage: Any) -> None:
    stage.enter()
    for _ in range(3):
        stage.clock(31)
        stage.snapshot("999.95")
    assert stage.inside._state.ledger.transfers == 0


def test_s38_a_wallet_read_ahead_of_its_fill_is_no_transfer(stage: Any) -> None:
    sent = stage.hold()
    stage.clock(31)
    held = stage.position(str(sent.qty), str(sent.stop_loss))
    stage.snapshot("990", positions=(held,))  # the close is in the wallet, its fill not yet read
    pnl = D("-9.98")
    stage.deliver(stage.fill("", -1, sent.qty, "99", closed=str(sent.qty), pnl=pnl))
    stage.clock(3)
    stage.snapshot("990")
    stage.clock(31)
    stage.snapshot("990")
    ledger = stage.inside._state.ledger
    assert ledger.balance == D(990)
    assert ledger.transfers == D(990) - (D(1000) + pnl - D("0.02"))


def differs(stage: Any, balance: str, **coins: Any) -> None:
    """The wallet is read twice and says `balance`."""
    for _ in range(2):
        stage.clock(31)
        stage.snapshot(balance, **coins)


def test_s44_a_deposit_is_neither_profit_nor_loss(stage: Any) -> None:
    differs(stage, "1250")
    stage.log(stage.move("250"))
    stage.clock(1)
    inside = stage.inside._state
    assert inside.ledger.transfers == 250
    assert inside.ledger.balance == 1250
    assert inside.session.result == 0
    assert inside.session.drawdown == 0
    assert stage.trader.summary()["net_pnl"] == 0
    assert stage.notes("transfer")[-1].level == "warning"


def test_s44_a_difference_the_log_knows_no_transfer_for_is_an_alarm_and_no_transfer(stage: Any) -> None:
    differs(stage, "999.5")
    assert not stage.notes("discrepancy")  # before the log was read nothing is known
    stage.log()
    ledger = stage.inside._state.ledger
    assert (ledger.transfers, ledger.unexplained, ledger.balance) == (0, D("-0.5"), D("999.5"))
    (note,) = stage.notes("discrepancy")
    assert (note.level, note.fields["coin"], note.fields["amount"]) == ("error", "USDT", D("-0.5"))
    assert not stage.notes("transfer")
    figures = stage.trader.summary()
    assert figures["discrepancies"] == {"USDT": D("-0.5")}
    assert figures["net_pnl"] == D("-0.5")  # the money is gone, whoever took it
    differs(stage, "999.5")
    assert len(stage.notes("discrepancy")) == 1  # reported once


def test_s44_what_the_log_says_of_a_part_is_a_transfer_of_that_part(stage: Any) -> None:
    differs(stage, "1240")
    stage.log(stage.move("250"))
    ledger = stage.inside._state.ledger
    assert (ledger.transfers, ledger.unexplained) == (250, -10)


def test_s44_a_transfer_that_the_log_shows_late_takes_the_place_of_the_unexplained(stage: Any) -> None:
    differs(stage, "1250")
    late = stage.move("250")
    stage.log()
    assert stage.inside._state.ledger.unexplained == 250
    stage.clock(31)
    stage.snapshot("1250")
    stage.log(late)
    ledger = stage.inside._state.ledger
    assert (ledger.transfers, ledger.unexplained, ledger.balance) == (250, 0, 1250)
    assert stage.trader.summary()["discrepancies"] == {}
    assert stage.trader.summary()["net_pnl"] == 0


def test_s44_one_line_of_the_log_explains_one_difference(stage: Any) -> None:
    differs(stage, "1250")
    line = stage.move("250")
    stage.log(line)
    differs(stage, "1500")
    stage.log(line)
    ledger = stage.inside._state.ledger
    assert (ledger.transfers, ledger.unexplained) == (250, 250)
    kept = ledger.ledger_record()
    assert type(ledger).from_ledger_record(kept, stage.now).ledger_record() == kept


def test_s44_a_log_that_cannot_be_read_leaves_the_difference_standing(stage: Any) -> None:
    differs(stage, "1250")
    stage.read(stage.last(Read, what=("transfers",)), "unknown")
    ledger = stage.inside._state.ledger
    assert (ledger.transfers, ledger.unexplained, ledger.balance) == (0, 0, 1000)
    differs(stage, "1250")
    stage.log(stage.move("250"))
    assert stage.inside._state.ledger.transfers == 250


def test_s38_a_fee_in_another_coin_is_booked_in_that_coin(stage: Any) -> None:
    """0.5 MNT is no 0.50 USDT: the wallet of USDT does not change, that of MNT does."""
    more = {"coins": {"MNT": D(100)}}
    stage.clock(31)
    stage.snapshot("1000", **more)
    sent = stage.hold()
    ledger = stage.inside._state.ledger
    before = ledger.fees
    paid = {"fee": D(0), "coin_fees": (("MNT", D("0.5")),), "fee_worth": D("0.4")}
    stage.deliver(stage.fill("", -1, sent.qty, "101", closed=str(sent.qty), **paid))
    stage.deliver(stage.position("0"))
    assert ledger.fees == before
    assert ledger.coins["MNT"].balance == D("99.5")
    assert stage.notes("trade")[-1].fields["fees"] == before + D("0.4")
    differs(stage, str(ledger.balance), coins={"MNT": D("99.5")})
    assert not stage.notes("discrepancy") + stage.notes("transfer")
    assert stage.trader.summary()["coin_fees"] == {"MNT": D("0.5")}
    differs(stage, str(ledger.balance), coins={"MNT": D("99.2")})
    stage.log()
    assert stage.notes("discrepancy")[-1].fields["coin"] == "MNT"
    assert ledger.discrepancies() == {"MNT": D("-0.3")}


@pytest.mark.parametrize("coin", ["MNT", "BIT"])
@pytest.mark.parametrize("fee", ["0.5", "-0.5"])
@pytest.mark.parametrize(
    ("kind", "parts"),
    [("Trade", 1), ("Trade", 3), ("BustTrade", 1), ("AdlTrade", 2), ("Settle", 1), ("Funding", 1)],
)
def test_s38_a_fee_or_rebate_in_another_coin_is_booked_in_it_whatever_made_it(
    stage: Any, kind: str, parts: int, fee: str, coin: str
) -> None:
    stage.clock(31)
    stage.snapshot("1000", coins={coin: D(100)})
    sent = stage.hold()
    ledger, worth = stage.inside._state.ledger, D(fee) * D("0.8")
    fees, funding = ledger.fees, ledger.funding
    paid = {"fee": D(0), "coin_fees": ((coin, D(fee)),), "fee_worth": worth, "kind": kind}
    closed = sent.qty / parts if kind != "Funding" else D(0)
    for _ in range(parts):
        stage.deliver(stage.fill("", -1, closed or sent.qty, "101", closed=str(closed), **paid))
    assert (ledger.fees, ledger.funding) == (fees, funding)
    assert ledger.coins[coin].balance == 100 - parts * D(fee)
    if kind == "Funding":
        stage.deliver(stage.fill("", -1, sent.qty, "101", closed=str(sent.qty), fee=D(0)))
    stage.deliver(stage.position("0"))
    trade = stage.notes("trade")[-1].fields
    assert trade["result"] - trade["net"] == fees + parts * worth
    differs(stage, str(ledger.balance), coins={coin: 100 - parts * D(fee)})
    assert not stage.notes("discrepancy") + stage.notes("transfer")


def test_s44_a_withdrawal_pauses_nothing(stage: Any) -> None:
    differs(stage, "500")
    stage.log(stage.move("-500"))
    stage.wait(10)
    assert stage.inside._state.session.refusal(stage.now) == ""


def lost(stage: Any) -> Any:
    """A session loss of more than 20 % with a position open."""
    sent = stage.hold()
    stage.deliver(stage.fill("", 1, sent.qty, "100", kind="Funding", fee=D(250)))
    stage.wait(2)
    return sent


def test_s40_a_session_loss_closes_all_and_halts(stage: Any) -> None:
    sent = lost(stage)
    assert stage.closes[-1].qty == sent.qty
    assert stage.inside._state.session.halted
    stage.deliver(stage.fill(stage.closes[-1].id, -1, sent.qty, "100", closed=str(sent.qty)))
    stage.deliver(stage.position("0"))
    assert stage.notes("flat")
    assert "halted" in stage.trader.view().refusal


def test_s40_the_halt_survives_a_restart_and_midnight(stage: Any) -> None:
    sent = lost(stage)
    stage.deliver(stage.fill(stage.closes[-1].id, -1, sent.qty, "100", closed=str(sent.qty)))
    stage.deliver(stage.position("0"))
    new = stage.restart(seconds=86_400)
    new.recover(str(stage.inside._state.ledger.balance))
    new.wait(6)
    assert "halted" in new.trader.view().refusal
    new.deliver(events.Control(new.now, "resume", "test"))
    assert "halted" in new.trader.view().refusal
    new.deliver(events.Control(new.now, "session_new", "test"))
    assert new.trader.view().refusal == ""


def test_s40_a_persons_halt_survives_a_clean_stop(stage: Any) -> None:
    stage.deliver(events.Control(stage.now, "halt", "test"))
    stage.deliver(events.Control(stage.now, "stop", "test"))
    new = stage.restart()
    new.recover()
    assert "halted" in new.trader.view().refusal


def test_s40_a_clean_stop_halts_nothing(stage: Any) -> None:
    stage.deliver(events.Control(stage.now, "stop", "test"))
    assert stage.trader.view().refusal  # until the run has ended
    stage.clock()
    stage.snapshot("1000")
    new = stage.restart()
    new.recover()
    assert new.trader.view().refusal == ""


def test_a_losing_trade_starts_the_streak_that_halves_the_size(stage: Any) -> None:
    closed_trade(stage)
    assert stage.inside._state.session.losses == 1
    assert stage.state().stopped_out[1]
    assert len(stage.all(SetLeverage)) == 1


def test_s44_a_withdrawal_is_no_loss_after_a_restart_either(stage: Any) -> None:
    for _ in range(2):
        stage.clock(31)
        stage.snapshot("500")
    new = stage.restart()
    new.recover("500")
    new.now = new.inside._scanner.next_ns
    new.clock()
    assert new.inside._state.session.result == 0
    assert new.trader.view().refusal == ""


def test_s40_the_peak_that_drawdowns_are_measured_from_survives(stage: Any) -> None:
    closed_trade(stage, "101")  # a peak is of closed results and locked stops, not of a price that passes
    stage.clock(300)
    peak = stage.inside._state.session.peak
    assert peak > 1000
    assert stage.restart().inside._state.session.peak == peak


def test_s40_the_edge_watchdogs_halt_survives(stage: Any) -> None:
    for i in range(30):
        stage.inside._state.evidence.add(-0.002 - i / 10_000)
    closed_trade(stage)
    assert "edge" in stage.inside._state.session.refusal(stage.now)
    assert "edge" in stage.restart().inside._state.session.refusal(stage.now)
