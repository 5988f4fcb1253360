"""A panel signal in its own process: what is slow, raises, ends itself or prints costs its scores and nothing else."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import numpy as np
import pytest

from turbo_trader.lab.made_up_panels import MadeUpPanel
from turbo_trader.lab.score_process import ScoreProcess
from turbo_trader.lab.serving import Order
from turbo_trader.signals.asking import Answer, NoAnswer

PANEL = MadeUpPanel(days=1, symbols=3).panel(1)
HEAD = "import os, sys, time\nimport numpy as np\nfrom turbo_trader.lab.panel import Scores\nLOOKBACK = 5\n"
LONG = "    return Scores(np.ones(3), 0.001, panel.interval_ns)\n"


def process(tmp_path: Path, body: str, limit_s: float = 5.0) -> ScoreProcess:
    path = tmp_path / "theirs.py"
    path.write_text(f"{HEAD}def score(panel):\n{body}{LONG}")
    return ScoreProcess(Order(str(path)), limit_s)


async def asked(scorer: ScoreProcess, times: int = 1) -> list[Answer | str]:
    """Answers, or why there are none, to panels one bar later each time."""
    found: list[Answer | str] = []
    await scorer.begin()
    try:
        for k in range(times):
            try:
                found.append(await scorer.answer(PANEL.slice(k, k + 5)))
            except NoAnswer as failure:
                found.append(str(failure))
    finally:
        await scorer.end()
    return found


def test_slow_signal_ends_in_time_and_is_asked_again(tmp_path: Path) -> None:
    body = f"    time.sleep(60 if panel.ts[0] == {int(PANEL.ts[0])} else 0)\n"
    began = time.monotonic()
    first, second = asyncio.run(asked(process(tmp_path, body, 0.5), 2))
    assert "no answer within 0.5 s" in str(first)
    assert isinstance(second, Answer)
    assert second.directions == (1, 1, 1)
    assert time.monotonic() - began < 30


@pytest.mark.long
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("    raise ValueError('not today')\n", "ValueError: not today"),
        ("    return 7\n", "must return Scores"),
        ("    sys.exit('enough')\n", "enough"),
        ("    os._exit(3)\n", "its process has ended"),
    ],
)
def test_failing_signal_says_why_and_the_next_question_is_answered(
    tmp_path: Path, body: str, why: str
) -> None:
    once = f"    if panel.ts[0] == {int(PANEL.ts[0])}:\n    {body}"
    first, second = asyncio.run(asked(process(tmp_path, once), 2))
    assert why in str(first)
    assert isinstance(second, Answer)


def test_what_a_signal_prints_does_not_disturb_its_answers(tmp_path: Path) -> None:
    (found,) = asyncio.run(
        asked(process(tmp_path, "    print('x' * 10_000)\n    os.write(1, b'y' * 1000)\n"))
    )
    assert isinstance(found, Answer)
    assert found.horizons == (PANEL.interval_ns,) * 3


def test_signal_gets_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYBIT_API_SECRET", "not for plug-ins")
    body = "    assert 'BYBIT_API_SECRET' not in os.environ\n"
    (found,) = asyncio.run(asked(process(tmp_path, body)))
    assert isinstance(found, Answer)


def test_its_process_answers_as_the_signal_itself(tmp_path: Path) -> None:
    path = tmp_path / "theirs.py"
    path.write_text(
        f"{HEAD}def score(panel):\n    return Scores(np.sign(panel.close[-1] - panel.close[0]), 0.001, panel.interval_ns)\n"
    )
    (found,) = asyncio.run(asked(ScoreProcess(Order(str(path)), 5.0)))
    assert isinstance(found, Answer)
    assert found.directions == tuple(np.sign(PANEL.close[4] - PANEL.close[0]).astype(int))


def test_endless_signal_does_not_outlive_its_daemon(tmp_path: Path) -> None:
    """The daemon of this test is a child that is killed while its signal runs on."""
    mark = tmp_path / "pid"
    body = f"    open({str(mark)!r}, 'w').write(str(os.getpid()))\n    time.sleep(600)\n"
    scorer = process(tmp_path, body, 600.0)
    child = os.fork()
    if child == 0:
        asyncio.run(asked(scorer))
        os._exit(0)
    until = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()):
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    while (
        Path(f"/proc/{mark.read_text()}").exists()
        and "Z" not in Path(f"/proc/{mark.read_text()}/stat").read_text()
    ):
        assert time.monotonic() < until
        time.sleep(0.05)
