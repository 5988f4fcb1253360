import os
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from turbo_trader.console.screen.app import HELP, Board, ScreenApp
from turbo_trader.console.screen.dialogs import Paper

SCREENS = Path(__file__).parent.parent / "screens"
SIZES = [(80, 24), (120, 40), (200, 60)]
Moment = Callable[..., list[bytes]]


def drawn(app: ScreenApp) -> list[str]:
    """The terminal's lines as composed by textual, whatever lies on top included."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in line)[:width].rstrip() for line in lines[:height]]


async def shown(pilot: Pilot[None], messages: list[bytes]) -> list[str]:
    app = pilot.app
    assert isinstance(app, ScreenApp)
    for message in messages:
        app.take(message)
    await pilot.pause()
    return drawn(app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_screen_is_the_committed_one(moment: Moment, size: tuple[int, int]) -> None:
    """Made again by: UPDATE_SCREENS=1 scripts/test tests/console/screen"""
    async with ScreenApp(None, 0).run_test(size=size) as pilot:
        lines = await shown(pilot, moment())
    path = SCREENS / f"{size[0]}x{size[1]}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines == path.read_text(encoding="utf-8").splitlines()


async def test_a_resize_lays_the_board_out_again(moment: Moment) -> None:
    async with ScreenApp(None, 0).run_test(size=(80, 24)) as pilot:
        await shown(pilot, moment())
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert isinstance(pilot.app, ScreenApp)
        assert drawn(pilot.app) == (SCREENS / "120x40.txt").read_text(encoding="utf-8").splitlines()


async def test_headings_and_the_state_of_entries_have_their_colours(moment: Moment) -> None:
    """A line of one style has it, not only lines that are made of several."""
    async with ScreenApp(None, 0).run_test(size=(120, 40)) as pilot:
        lines = await shown(pilot, moment())
        board = pilot.app.screen.query_one(Board)

        def style(begins: str) -> str:
            y = next(i for i, line in enumerate(lines) if line.startswith(begins))
            return str(next(iter(board.render_line(y))).style)

        assert style("symbol side") == style("events ─") == "bold cyan"
        assert style("entries allowed") == "green"
        assert "dim" in style("e explain")


async def test_a_text_of_80_columns_fits_the_narrowest_terminal_whole(moment: Moment) -> None:
    """What a verb prints is folded at 80: a frame around it would fold it again."""
    async with ScreenApp(None, 0).run_test(size=(80, 24)) as pilot:
        await shown(pilot, moment())
        await pilot.app.push_screen(Paper("explain", "\n".join(["x" * 80] * 40)))
        await pilot.pause()
        assert isinstance(pilot.app, ScreenApp)
        assert drawn(pilot.app)[1:] == ["x" * 80] * 23
    assert max(map(len, HELP.splitlines())) <= 72


async def test_a_text_that_comes_after_its_paper_was_closed_ends_nothing(moment: Moment) -> None:
    """`f`, then `q` while the journal is still being read."""
    async with ScreenApp(None, 0).run_test(size=(80, 24)) as pilot:
        before = await shown(pilot, moment())
        paper = Paper("funnel", "reading the journal ...")
        await pilot.app.push_screen(paper)
        await pilot.press("q")
        await pilot.pause()
        paper.show("scans 735")
        await pilot.pause()
        assert isinstance(pilot.app, ScreenApp)
        assert drawn(pilot.app) == before


async def test_only_lines_that_changed_are_drawn(moment: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[int] = []
    render_line = Board.render_line

    def spy(self: Board, y: int) -> object:
        rendered.append(y)
        return render_line(self, y)

    async with ScreenApp(None, 0).run_test(size=(80, 24)) as pilot:
        await shown(pilot, moment())
        monkeypatch.setattr(Board, "render_line", spy)
        await shown(pilot, moment(events=()))
        assert rendered == []
        await shown(pilot, moment(events=(), refusal="flattening"))
        assert 1 <= len(set(rendered)) <= 2


@pytest.mark.parametrize(("answer", "given"), [("y", ["flatten"]), ("n", []), ("escape", []), ("enter", [])])
async def test_flatten_is_given_after_a_yes_alone(
    moment: Moment, monkeypatch: pytest.MonkeyPatch, answer: str, given: list[str]
) -> None:
    verbs: list[str] = []
    monkeypatch.setattr(ScreenApp, "_control", lambda _, verb: verbs.append(verb))
    async with ScreenApp(None, 0).run_test(size=(80, 24)) as pilot:
        await shown(pilot, moment())
        await pilot.press("x")
        assert any("Close everything at market (2 open) and halt?" in line for line in drawn(pilot.app))  # type: ignore[arg-type]
        await pilot.press(answer)
        await pilot.app.workers.wait_for_complete()
    assert verbs == given


@pytest.mark.parametrize(("key", "verb"), [("h", "halt"), ("r", "resume")])
async def test_halt_and_resume_go_to_the_daemon_at_once(
    monkeypatch: pytest.MonkeyPatch, key: str, verb: str
) -> None:
    verbs: list[str] = []
    monkeypatch.setattr(ScreenApp, "_control", lambda _, verb: verbs.append(verb))
    async with ScreenApp(None, 0).run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await pilot.app.workers.wait_for_complete()
    assert verbs == [verb]


@pytest.mark.parametrize(("keys", "interrupted"), [(["ctrl+c"], 1), (["q", "y"], 1), (["q", "n"], 0)])
async def test_ctrl_c_and_a_confirmed_q_interrupt_the_daemon(
    monkeypatch: pytest.MonkeyPatch, keys: list[str], interrupted: int
) -> None:
    sent: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, _: sent.append(pid))
    async with ScreenApp(None, 4_711).run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
    assert sent == [4_711] * interrupted


async def test_help_explains_every_key_and_closes_with_q(moment: Moment) -> None:
    async with ScreenApp(None, 0).run_test(size=(120, 40)) as pilot:
        before = await shown(pilot, moment())
        await pilot.press("question_mark")
        lines = " ".join(drawn(pilot.app))  # type: ignore[arg-type]
        assert "how to read this" in lines
        assert "close everything and halt" in lines
        await pilot.press("q")
        await pilot.pause()
        assert drawn(pilot.app) == before  # type: ignore[arg-type]


async def test_without_the_daemon_a_key_says_so(moment: Moment) -> None:
    async with ScreenApp(None, -1).run_test(size=(80, 24)) as pilot:
        await shown(pilot, moment())
        await pilot.press("h")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert any("halt: the daemon is not there any more" in line for line in drawn(pilot.app))  # type: ignore[arg-type]
