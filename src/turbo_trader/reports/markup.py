"""Pieces of the page as HTML. Every given text is escaped."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files

from turbo_trader.reports.report_figures import Card, Table


@cache
def asset(name: str) -> str:
    """A style, script or piece of the page, as its package brings it."""
    return files("turbo_trader.reports").joinpath("assets", name).read_text(encoding="utf-8")


@cache
def plotly_script() -> str:
    """plotly.js. We bring the one file that a page needs: the package plotly brings 65 MB of Python around it."""
    packed = files("turbo_trader.reports").joinpath("assets", "plotly.min.js.gz").read_bytes()
    return gzip.decompress(packed).decode()


def section(title: str, text: str, *parts: str) -> str:
    """A part of the page under a title; `text` says how to read it."""
    lead = f"<p>{escape(text)}</p>" if text else ""
    return f"<section><h2>{escape(title)}</h2>{lead}{''.join(parts)}</section>"


def chart(name: str, *, tall: bool = False) -> str:
    """The place of a chart; the script draws it."""
    return f'<div class="chart{" tall" if tall else ""}" data-chart="{name}"></div>'


def pair(*parts: str) -> str:
    """Parts beside each other, below each other on a phone."""
    return f"<div class=pair>{''.join(f'<div>{part}</div>' for part in parts)}</div>"


def tables(*given: Table) -> str:
    """Tables, those without a row left out."""
    return "".join(_table(each) for each in given if each.rows)


def fold(title: str, table: Table) -> str:
    """A table that opens at a click."""
    return f"<details><summary>{escape(title)}</summary>{_table(table)}</details>"


def cards(given: Iterable[Card]) -> str:
    """The figures at the head."""
    return f"<div class=cards>{''.join(_card(each) for each in given)}</div>"


def notice(line: str) -> str:
    """What a reader must know first."""
    return f"<p class=notice>{escape(line)}</p>"


def _card(card: Card) -> str:
    parts = f"<span>{escape(card.name)}</span><b>{escape(card.value)}</b><small>{escape(card.beside)}</small>"
    return f'<div class="card {card.mood}">{parts}</div>'


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.header)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    kind = ' class="prose"' if table.prose else ""
    return f"<div class=scroll><table{kind}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
