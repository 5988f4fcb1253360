"""`scripts/clients NAME|all`: other people's clients against our exchange; exit code 0 where every one passed."""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor

from clients.playing import play
from clients.roster import ROSTER, Client, chosen
from clients.verdict import Verdict

AT_ONCE = 2


def main() -> int:
    """Play, print, and say whether all passed that have to."""
    asked = argparse.ArgumentParser(prog="scripts/clients", description="Other clients against the exchange.")
    asked.add_argument("name", choices=[*(client.name for client in ROSTER), "all"], metavar="NAME|all")
    asked.add_argument("--json", action="store_true", help="one JSON object")
    asked.add_argument("--long", action="store_true", help="an hour at speed 1")
    options = asked.parse_args()
    clients = chosen(options.name)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = dict(
            zip(clients, pool.map(lambda client: _played(client, long=options.long), clients), strict=True)
        )
    if options.json:
        print(json.dumps({client.name: verdict.as_json() for client, verdict in verdicts.items()}, indent=1))
    else:
        print("\n".join(line(client, verdict) for client, verdict in verdicts.items()))
    return exit_code(verdicts)


def exit_code(verdicts: dict[Client, Verdict]) -> int:
    """0 where every client passed; one that need not be installed may have been refused by its installer."""
    excused = [not client.required and not verdict.played for client, verdict in verdicts.items()]
    passed = [verdict.passed for verdict in verdicts.values()]
    return 0 if all(one or other for one, other in zip(passed, excused, strict=True)) else 1


def line(client: Client, verdict: Verdict) -> str:
    """What is printed of a client."""
    result = "passed" if verdict.passed else "failed" if verdict.played else "not played"
    done = f"{verdict.trades:>4} trades {verdict.orders:>4} orders {verdict.seconds:>6.1f} s"
    head = f"{client.name:<16} {verdict.version:<10} {result:<10} {done}"
    return "\n".join([head, *(f"    {error}" for error in (*verdict.errors, *verdict.differences))])


def _played(client: Client, *, long: bool) -> Verdict:
    print(f"{client.name} ...", file=sys.stderr, flush=True)
    return play(client, long=long)


if __name__ == "__main__":
    sys.exit(main())
