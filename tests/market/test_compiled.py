"""The cache of compiled kernels: keyed by what a kernel can see, shared by every checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from turbo_trader.market import compiled, kernel
from turbo_trader.rules import assess

SOURCE = Path(compiled.__file__).parent.parent


def module(loaded: object) -> Path:
    return Path(str(loaded.__file__)).resolve()  # type: ignore[attr-defined]


def test_a_caller_sees_every_module_its_kernels_come_from() -> None:
    seen, ahead = set(), [module(assess)]
    while ahead:
        if (path := ahead.pop()) not in seen:
            seen.add(path)
            ahead.extend(compiled.imported(path))
    names = {f"{path.parent.name}.{path.stem}" for path in seen}
    assert {
        "rules.forecast_gates",
        "rules.distances",
        "signals.ou",
        "signals.kalman",
        "market.book",
        "market.rows",
    } <= names
    assert not {"rules.policy", "rules.sizing", "rules.trade_report", "market.parquet"} & names


def test_modules_have_hashes_of_their_own() -> None:
    assert compiled.sources_hash(module(assess)) != compiled.sources_hash(module(kernel))


@pytest.mark.parametrize(
    ("edited", "compiles"),
    [
        ("market/kernel.py", {"exchange.cursor_kernel", "market.kernel"}),
        ("rules/policy.py", set()),
        ("rules/data_gate.py", {"rules.assess"}),
    ],
)
def test_an_edit_changes_the_hash_of_what_can_see_it_and_of_nothing_else(
    tmp_path: Path, edited: str, compiles: set[str]
) -> None:
    copy = tmp_path / "turbo_trader"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = hashes(tmp_path)
    with (copy / edited).open("a") as source:
        source.write("# edited\n")
    after = hashes(tmp_path)
    changed = {name for name in before if before[name] != after[name]}
    assert compiles <= changed
    assert not changed & {"market.levels", "market.order_flow", "signals.kalman"}
    assert bool(changed) == bool(compiles)


def hashes(root: Path) -> dict[str, str]:
    """Each kernel module's hash in a checkout below `root`."""
    code = (
        "from pathlib import Path; from turbo_trader.market import compiled as c; "
        "[print(f'{p.parent.name}.{p.stem}', c.sources_hash(p)) for p in sorted(Path(c.__file__).parent.parent.rglob('*.py')) "
        "if '@kernel' in p.read_text()]"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return dict(line.split() for line in printed.splitlines())


@pytest.mark.slow  # each run of scripts/setup shows it
def test_another_checkout_takes_its_kernels_from_the_cache(tmp_path: Path) -> None:
    code = "from turbo_trader.signals.passage import normal as k; k(0.5); import sys; print('numba' in sys.modules)"
    compiled_it = []
    for name in ("first", "second"):
        root = tmp_path / name
        shutil.copytree(SOURCE, root / "turbo_trader", ignore=shutil.ignore_patterns("__pycache__"))
        environment = {**os.environ, "PYTHONPATH": str(root), "TURBO_TRADER_CACHE": str(tmp_path / "cache")}
        ran = subprocess.run(
            [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
        )
        compiled_it.append(ran.stdout.strip())
    assert compiled_it == ["True", "False"]


@pytest.mark.long
def test_a_kernel_of_another_package_is_kept_by_what_it_can_see(tmp_path: Path) -> None:
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "half.py").write_text(
        "from turbo_trader.market.compiled import kernel\n@kernel\ndef half(x):\n    return x / 2\n"
    )
    (package / "signal.py").write_text(
        "from mine.half import half\nfrom turbo_trader.market.compiled import kernel\n"
        "@kernel\ndef signal(x):\n    return half(x)\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}:{SOURCE.parent}",
        "TURBO_TRADER_CACHE": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",  # two edits of one size within a second are one to Python
    }
    code = "from mine.signal import signal as k; import sys; print(k(8.0), 'numba' in sys.modules)"
    printed = []
    for divisor in (2, 2, 4):
        (package / "half.py").write_text((package / "half.py").read_text().replace("/ 2", f"/ {divisor}"))
        ran = subprocess.run(
            [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
        )
        printed.append(ran.stdout.split())
    assert printed == [["4.0", "True"], ["4.0", "False"], ["2.0", "True"]]
    assert not list(package.rglob("*.kernel"))
