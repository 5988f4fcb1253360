"""`turbo-trader service`: run by systemd, as a unit of the system or of the user, with the guard beside it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from turbo_trader.market.errors import InputError

if TYPE_CHECKING:
    from turbo_trader.console.units import Service

app = typer.Typer(
    help="Print, install or uninstall the systemd units of daemon and guard.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
System = Annotated[
    bool | None,
    typer.Option("--system/--user", help="the system's manager or your own; default: the system's for root"),
]
UnitName = Annotated[str, typer.Option("--name", help="name of the unit; a different one for each account")]
Mode = Annotated[str | None, typer.Option("--mode", help="paper, testnet, demo or live; default: MODE")]
Home = Annotated[Path | None, typer.Option("--folder", help="working folder with .env; default: this one")]
EnvFile = Annotated[
    Path | None, typer.Option("--env-file", help="settings that override .env, readable only by its owner")
]
RunAs = Annotated[
    str, typer.Option("--run-as", help="user of the processes; default: the owner of the folder")
]
Memory = Annotated[str, typer.Option("--memory", help="memory limit of each process")]


@app.command("print")
def print_units(
    *, system: System = None, name: UnitName = "turbo-trader", mode: Mode = None, folder: Home = None, env_file: EnvFile = None,
    run_as: RunAs = "", memory: Memory = "1G", json: Json = False,
) -> None:  # fmt: skip
    """The units as they would be installed; nothing is changed."""
    from turbo_trader.console.output import print_json

    service = _service(
        system=system, name=name, mode=mode, folder=folder, env_file=env_file, run_as=run_as, memory=memory
    )
    if json:
        print_json({"folder": _units_folder(service.user), "units": service.units})
    else:
        print(
            "\n".join(
                f"# {_units_folder(service.user) / file}\n{text}" for file, text in service.units.items()
            )
        )


@app.command("install")
def install(
    *, system: System = None, name: UnitName = "turbo-trader", mode: Mode = None, folder: Home = None, env_file: EnvFile = None,
    run_as: RunAs = "", memory: Memory = "1G", json: Json = False,
) -> None:  # fmt: skip
    """Write the units. They start with the machine once they are enabled, which this does not do: it says how."""
    from turbo_trader.console.output import print_json

    service = _service(
        system=system, name=name, mode=mode, folder=folder, env_file=env_file, run_as=run_as, memory=memory
    )
    _private(service)
    where = _units_folder(service.user)
    for file in service.units:
        _ours(where / file)
    try:
        for path in service.writable:
            _made(path, service.user)
        where.mkdir(parents=True, exist_ok=True)
        for file, text in service.units.items():
            (where / file).write_text(text)
    except OSError as error:
        raise InputError(f"{where}: {error.strerror}; as root, or with --user") from None
    _systemctl(service.user, "daemon-reload")
    begin = f"systemctl {'' if service.user else '--user '}enable --now {' '.join(service.units)}"
    if json:
        print_json({"folder": where, "units": list(service.units), "begin": begin})
        return
    print("\n".join(f"{where / file}: written" for file in service.units))
    print(f"start it, now and with the machine: {begin}")
    if not service.user:
        print("so that it runs while you are logged out: loginctl enable-linger")


@app.command("uninstall")
def uninstall(system: System = None, name: UnitName = "turbo-trader", json: Json = False) -> None:
    """Stop and remove the units. Positions stay to their stops on the venue; journal and settings stay."""
    from turbo_trader.console.output import print_json

    user = "root" if _by_system(system) else ""
    where = _units_folder(user)
    found = [path for path in (where / f"{name}.service", where / f"{name}-guard.service") if path.exists()]
    if not found:
        raise InputError(
            f"{where}: no unit {name}.service here; name another with --name, --system or --user"
        )
    for path in found:
        _ours(path)
    for path in found:
        _systemctl(user, "disable", "--now", path.name)
        path.unlink()
    _systemctl(user, "daemon-reload")
    if json:
        print_json({"removed": found})
    else:
        print("\n".join(f"{path}: removed" for path in found))


def _service(
    *, system: bool | None, name: str, mode: str | None, folder: Path | None, env_file: Path | None, run_as: str, memory: str
) -> Service:  # fmt: skip
    from turbo_trader.console.settings import load_settings
    from turbo_trader.console.units import Service
    from turbo_trader.live.registry import state_home
    from turbo_trader.market.compiled import cache_folder

    if not name or not all(letter.isalnum() or letter in "-_.@" for letter in name):
        raise InputError(f"--name {name!r}: letters, digits, - and _ alone")
    home = (folder or Path.cwd()).resolve()
    if not home.is_dir():
        raise InputError(f"--folder {folder}: no such folder")
    os.chdir(home)  # its `.env` is what the daemon will read
    settings = load_settings(mode=mode)
    by_system = _by_system(system)
    user = (run_as or home.owner()) if by_system else ""
    if user == "root":
        raise InputError(
            f"{home} belongs to root: name the user that trades with --run-as, or give the folder to one"
        )
    base = _home_of(user) if user else None
    state = base / ".local/state/turbo-trader" if base else state_home()
    cache = base / ".cache/turbo-trader" if base else cache_folder().parent
    return Service(
        name=name,
        program=Path(sys.argv[0]).resolve()
        if Path(sys.argv[0]).name == "turbo-trader"
        else Path(sys.executable).with_name("turbo-trader"),
        folder=home,
        mode=settings.mode,
        writable=((home / settings.journal_dir).resolve(), state, cache),
        user=user,
        env_file=env_file.resolve() if env_file else None,
        memory=memory,
    )


def _by_system(given: bool | None) -> bool:
    return given if given is not None else os.geteuid() == 0


def _home_of(user: str) -> Path:
    import pwd

    try:
        return Path(pwd.getpwnam(user).pw_dir)
    except KeyError:
        raise InputError(f"--run-as {user}: no such user") from None


def _units_folder(user: str) -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path("/etc/systemd/system") if user else Path(base) / "systemd/user"


def _private(service: Service) -> None:
    """Files with keys belong to their user alone."""
    for path in (service.folder / ".env", service.env_file):
        if path is None or (path.name == ".env" and not path.exists()):
            continue
        if not path.is_file():
            raise InputError(f"--env-file {path}: no such file")
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InputError(f"{path}: others may read it; chmod 600 {path}")


def _ours(path: Path) -> None:
    from turbo_trader.console.units import MADE_BY

    if path.exists() and not path.read_text(errors="replace").startswith(MADE_BY):
        raise InputError(f"{path}: was not written by `service install`; remove it, or take another --name")


def _made(path: Path, user: str) -> None:
    """A writable folder that is missing; systemd refuses a unit whose folder is."""
    from turbo_trader.journal.private_files import private_folder

    missing = [each for each in (path, *path.parents) if not each.exists()]
    private_folder(path)
    for each in missing if user else ():
        shutil.chown(each, user)


def _systemctl(user: str, *given: str) -> None:
    if (program := shutil.which("systemctl")) is not None:
        scope = [] if user else ["--user"]
        subprocess.run([program, *scope, *given], capture_output=True, check=False)  # noqa: S603 - fixed verbs, checked names
