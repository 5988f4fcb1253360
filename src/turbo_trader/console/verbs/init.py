"""`turbo-trader init`: the first `.env`, then `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENV, _KEYS = Path(".env"), Path("bybit.key")

Mode = Annotated[str | None, typer.Option(help="paper, testnet, demo or live")]
Balance = Annotated[str | None, typer.Option(help="paper's starting balance, USDT")]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="file with key and secret on two lines, mode 0600")
]
Size = Annotated[str | None, typer.Option(help="full or earned; live needs one")]
SessionLoss = Annotated[str | None, typer.Option(help="loss that ends a session, such as 10%")]
DrawdownPause = Annotated[str | None, typer.Option(help="drawdown that pauses; follows --session-loss")]
ARisk = Annotated[str | None, typer.Option(help="loss of an A-trade at its stop; follows --session-loss")]
BRisk = Annotated[str | None, typer.Option(help="the same of a B-trade; follows --a-risk")]
MaxLeverage = Annotated[str | None, typer.Option(help="highest leverage, such as 20")]
IAcceptTheRisk = Annotated[bool, typer.Option("--i-accept-the-risk", help="for live: you may lose all of it")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="ask nothing; use the default for what is not given")]
Force = Annotated[bool, typer.Option("--force", help="replace a .env; the old one is kept as .env.old")]
NoDoctor = Annotated[bool, typer.Option("--no-doctor", help="write the settings without running doctor")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]


def init(
    *,
    mode: Mode = None,
    balance: Balance = None,
    key_file: KeyFile = None,
    size: Size = None,
    session_loss: SessionLoss = None,
    drawdown_pause: DrawdownPause = None,
    a_risk: ARisk = None,
    b_risk: BRisk = None,
    max_leverage: MaxLeverage = None,
    i_accept_the_risk: IAcceptTheRisk = False,
    yes: Yes = False,
    force: Force = False,
    no_doctor: NoDoctor = False,
    json: Json = False,
) -> int:
    """Write the first .env: mode, balance, key file, the five numbers that bound a loss; then `doctor`. Asks at a terminal."""
    import sys

    from turbo_trader.console import exit_codes
    from turbo_trader.console.first_settings import first_settings, write_settings
    from turbo_trader.console.output import print_json

    asked = {
        "MODE": mode or "", "BALANCE": balance or "", "BYBIT_KEY_FILE": str(key_file or ""), "SIZE": size or "",
        "I_ACCEPT_THE_RISK": "true" if i_accept_the_risk else "", "SESSION_LOSS": session_loss or "",
        "DRAWDOWN_PAUSE": drawdown_pause or "", "A_RISK": a_risk or "", "B_RISK": b_risk or "", "MAX_LEVERAGE": max_leverage or "",
    }  # fmt: skip
    dialogue = not yes and sys.stdin.isatty() and not json
    if dialogue:
        force = force or _may_replace()
        asked = _questions(asked)
    settings = first_settings({**asked, "MODE": asked["MODE"] or "paper"})
    kept = write_settings(_ENV, settings, replace=force)
    if json:
        print_json(
            {"file": _ENV, "kept": kept, "values": dict(settings.values), "moved": list(settings.moved)}
        )
        return exit_codes.OK
    for line in () if dialogue else settings.moved:  # a dialogue has said it at its question
        print(line)
    print(f"written: {_ENV} (0600)" + (f"; the old one is {kept}" if kept else ""))
    return exit_codes.OK if no_doctor else _doctor()


def _may_replace() -> bool:
    """Whether a `.env` that is there may be replaced. Asked before anything else, so that no answer is lost."""
    if not _ENV.exists():
        return False
    from turbo_trader.market.errors import Refused

    if not typer.confirm(f"{_ENV} exists. Replace it? The old one is kept as {_ENV}.old", default=False):
        raise Refused(f"{_ENV} exists and is left as it is")
    return True


def _questions(given: Mapping[str, str]) -> dict[str, str]:
    """Ask for what was not given on the command line; an empty answer takes what stands in brackets."""
    from turbo_trader.bybit.endpoints import Mode
    from turbo_trader.console.first_settings import NUMBERS, first_settings, followed

    asked = dict(given)
    _say("Enter takes the value in [brackets]; Ctrl-C ends without writing anything.")
    asked["MODE"] = asked["MODE"] or _ask("mode: paper (needs no key), testnet, demo or live", "paper")
    while asked["MODE"] not in set(Mode):
        asked["MODE"] = _ask("write paper, testnet, demo or live", "paper")
    if asked["MODE"] == Mode.PAPER:
        asked["BALANCE"] = _valid("BALANCE", asked, "starting balance in USDT", "18")
    else:
        asked["BYBIT_KEY_FILE"] = asked["BYBIT_KEY_FILE"] or _keys()
    if asked["MODE"] == Mode.LIVE:
        asked["SIZE"] = asked["SIZE"] or _ask(
            "size: earned (smallest orders until trades show more) or full", "earned"
        )
        if not asked["I_ACCEPT_THE_RISK"] and typer.confirm(
            "you may lose all of it; do you accept that?", default=False
        ):
            asked["I_ACCEPT_THE_RISK"] = "true"
    _say("Five numbers bound what you can lose; each one follows those before it.")
    for name, text in NUMBERS.items():
        if not asked[name]:
            default = followed(name, asked)
            for line in first_settings(asked).moved:
                if line.startswith(f"{name} "):
                    _say(line)
            answer = _valid(name, asked, f"{text}, {name}", default)
            asked[name] = "" if answer == default else answer
    return asked


def _valid(name: str, asked: Mapping[str, str], question: str, default: str) -> str:
    """An answer that the settings take; asked again, with the reason, until it is one."""
    from turbo_trader.console.first_settings import first_settings
    from turbo_trader.market.errors import InputError

    while True:
        answer = asked[name] or _ask(question, default)
        try:
            first_settings({**asked, name: answer})
        except InputError as error:
            _say(str(error))
            if asked[name]:
                raise
            continue
        return answer


def _keys() -> str:
    """The path of a key file, written where a key is given. The secret is not shown."""
    from turbo_trader.console.first_settings import write_keys

    key = _ask("API key, of a sub-account without withdrawal rights (empty: later)", "")
    if not key:
        return ""
    secret: str = typer.prompt("its secret", hide_input=True, err=True)
    write_keys(_KEYS, key, secret.strip())
    return str(_KEYS)


def _ask(question: str, default: str) -> str:
    answer: str = typer.prompt(question, default=default, err=True, show_default=bool(default))
    return answer.strip()


def _say(text: str) -> None:
    """Lines for the person, folded at spaces."""
    from turbo_trader.console.tables import wrapped

    typer.echo("\n".join(wrapped(text)), err=True)


def _doctor() -> int:
    from turbo_trader.console.verbs.doctor import doctor

    return doctor()
