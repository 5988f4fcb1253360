"""Dockerfile and compose file hold to the rules that hadolint and compose would check: no engine is needed here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    rows = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(row.split()[0].upper(), row.split(maxsplit=1)[1]) for row in rows]


def of(name: str) -> list[str]:
    return [rest for kind, rest in instructions() if kind == name]


def test_what_runs_is_built_in_another_stage_by_the_lock_files_hashes() -> None:
    stages = of("FROM")
    assert len(stages) == 2
    assert all(re.search(r":\d", stage) and ":latest" not in stage for stage in stages)  # a pinned version
    assert any("--require-hashes -r requirements.lock" in run for run in of("RUN"))
    assert all(
        "pip install" not in run or "--require-hashes" in run or "--no-deps" in run for run in of("RUN")
    )
    last = instructions()[[kind for kind, _ in instructions()].index("FROM", 1) :]
    assert [rest for kind, rest in last if kind == "COPY"] == [
        "--from=build /opt/turbo-trader /opt/turbo-trader"
    ]


def test_it_runs_as_a_user_without_rights_and_is_watched() -> None:
    assert of("USER") == ["10001:10001"]
    assert of("ENTRYPOINT") == ['["turbo-trader"]']
    assert of("HEALTHCHECK")[0].count("--") >= 4
    assert of("VOLUME") == ["/data"]
    assert not of("ADD")
    folders = " ".join(of("ENV"))
    assert all(f"{name}=/data" in folders for name in ("JOURNAL_DIR", "XDG_STATE_HOME", "TURBO_TRADER_CACHE"))


def test_what_is_copied_is_there_and_nothing_else_is_sent_to_the_engine() -> None:
    named = [name.rstrip("/") for rest in of("COPY") if "--from" not in rest for name in rest.split()[:-1]]
    assert all((ROOT / name).exists() for name in named)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == set(named)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    yaml: Any = pytest.importorskip("yaml")
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


@pytest.mark.parametrize("name", ["trader", "guard"])
def test_each_service_is_confined(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["restart"] == "unless-stopped"
    assert {"mem_limit", "pids_limit", "stop_grace_period"} <= set(service)
    assert service["volumes"] == ["data:/data"]
    assert "ports" not in service
    assert service["command"][0] in ("run", "guard")


def test_no_key_stands_in_the_files() -> None:
    text = (ROOT / "Dockerfile").read_text() + (ROOT / "compose.yaml").read_text()
    assert not re.search(r"(?i)(api_key|api_secret|token|password)\s*[=:]", text)
