"""The systemd units of a daemon and its guard, as text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from turbo_trader.bybit.endpoints import Mode

MADE_BY: Final = "# Written by `turbo-trader service install`; `turbo-trader service uninstall` removes it."

#: What neither process ever needs. Just-in-time compiled kernels rule out MemoryDenyWriteExecute.
_CONFINED: Final = (
    "NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "RestrictSUIDSGID=yes", "RestrictRealtime=yes",
    "RestrictNamespaces=yes", "LockPersonality=yes", "SystemCallArchitectures=native",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX", "UMask=0077",
)  # fmt: skip
#: What a user's own manager may not take away.
_CONFINED_BY_ROOT: Final = (
    "CapabilityBoundingSet=", "PrivateDevices=yes", "ProtectClock=yes", "ProtectControlGroups=yes", "ProtectHostname=yes",
    "ProtectKernelLogs=yes", "ProtectKernelModules=yes", "ProtectKernelTunables=yes", "ProtectProc=invisible",
)  # fmt: skip


@dataclass(kw_only=True, frozen=True, slots=True)
class Service:
    """What is installed. `user`: whom the processes run as in the system's manager; "": units of the caller's own manager."""

    name: str
    program: Path
    folder: Path  # with `.env`
    mode: Mode
    writable: tuple[Path, ...]  # journals, state, cache
    user: str = ""
    env_file: Path | None = None
    memory: str = "1G"

    @property
    def units(self) -> dict[str, str]:
        """The text of each unit by its file's name; a guard only where there is a real venue."""
        found = {f"{self.name}.service": self._daemon()}
        if self.mode != Mode.PAPER:
            found[f"{self.name}-guard.service"] = self._guard()
        return found

    def _daemon(self) -> str:
        guard = f"{self.name}-guard.service" if self.mode != Mode.PAPER else ""
        unit = [
            f"Description=turbo-trader, {self.mode}",
            f"After=network-online.target time-sync.target {guard}".rstrip(),
            f"Wants=network-online.target time-sync.target {guard}".rstrip(),
        ]
        run = f"{_quoted(self.program)} run --mode {self.mode} --no-ui"
        # exit codes 2 and 3 (settings, refused for safety) need a person: starting again does not help
        own = ["RestartSec=5", "RestartPreventExitStatus=2 3", "TimeoutStartSec=600", "TimeoutStopSec=60"]
        return self._text(unit, run, own)

    def _guard(self) -> str:
        unit = [
            f"Description=turbo-trader's guard, {self.mode}",
            "After=network-online.target time-sync.target",
            "Wants=network-online.target time-sync.target",
        ]
        run = f"{_quoted(self.program)} guard --mode {self.mode}"
        return self._text(unit, run, ["RestartSec=3", "TimeoutStartSec=120", "TimeoutStopSec=30"])

    def _text(self, unit: list[str], run: str, own: list[str]) -> str:
        service = [
            "Type=notify",
            "NotifyAccess=main",
            f"ExecStart={run}",
            f"WorkingDirectory={self.folder}",
            *([f"EnvironmentFile={self.env_file}"] if self.env_file else []),
            *([f"User={self.user}"] if self.user else []),
            "Restart=always",
            *own,
            "WatchdogSec=60",
            "KillMode=mixed",
            f"MemoryMax={self.memory}",
            "TasksMax=256",
            *_CONFINED,
            *(
                _CONFINED_BY_ROOT if self.user else ("PrivateUsers=yes",)
            ),  # without it a user has no mounts of their own
            *(f"ReadWritePaths={_quoted(path)}" for path in self.writable),
        ]
        target = "multi-user.target" if self.user else "default.target"
        return "\n".join(
            [MADE_BY, "[Unit]", *unit, "", "[Service]", *service, "", "[Install]", f"WantedBy={target}", ""]
        )


def _quoted(path: Path) -> str:
    """A path as systemd reads it: in quotes where it holds a space, a % doubled."""
    text = str(path).replace("%", "%%")
    return f'"{text}"' if " " in text else text
