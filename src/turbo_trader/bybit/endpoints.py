"""Where the venue is: hosts of each environment, as configuration, and the keys that belong to it."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from turbo_trader.market.errors import InputError, Refused


class Mode(StrEnum):
    """Whose money: nobody's at a simulated venue, test money at Bybit's testnet or demo, or real money."""

    PAPER = "paper"
    TESTNET = "testnet"
    DEMO = "demo"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base addresses of one environment. `rest` has no trailing slash; streams are whole addresses with their path.

    `trade`: where orders are taken over a websocket, "" where they are not.
    """

    environment: str  # mainnet, testnet, demo; loopback: paper's venue
    rest: str
    public: str
    private: str
    trade: str = ""

    @property
    def has_fee_rates(self) -> bool:
        """The demo environment refuses `fee-rate`."""
        return self.environment != "demo"

    @property
    def local(self) -> bool:
        """Is the venue on this machine? It is a simulated one then, with a time of its own."""
        return self.rest.startswith("http:")

    def check_order_entry(self, order_entry: str) -> None:
        """InputError where orders are to go over a websocket that this environment does not have."""
        if order_entry == "websocket" and not self.trade:
            raise InputError(
                f"ORDER_ENTRY=websocket: the {self.environment} environment takes orders by REST only; set ORDER_ENTRY=rest"
            )


def endpoints(environment: str, domain: str = "bybit", tld: str = "com") -> Endpoints:
    """Mainnet, testnet (own keys, own thin market) or demo (mainnet's public stream); regional hosts by `domain` and `tld`."""
    suffix = {"mainnet": "", "testnet": "-testnet", "demo": "-demo"}.get(environment)
    if suffix is None:
        raise InputError(f"environment {environment!r}: must be mainnet, testnet or demo")
    market = "" if environment == "demo" else suffix
    return Endpoints(
        environment,
        f"https://api{suffix}.{domain}.{tld}",
        f"wss://stream{market}.{domain}.{tld}/v5/public/linear",
        f"wss://stream{suffix}.{domain}.{tld}/v5/private",
        "" if environment == "demo" else f"wss://stream{suffix}.{domain}.{tld}/v5/trade",
    )


def loopback(port: int, host: str = "127.0.0.1") -> Endpoints:
    """The simulated venue on this machine."""
    stream = f"ws://{host}:{port}/v5"
    return Endpoints(
        "loopback", f"http://{host}:{port}", f"{stream}/public/linear", f"{stream}/private", f"{stream}/trade"
    )


def moved(known: Endpoints, rest: str, stream: str) -> Endpoints:
    """The same environment at another V5 venue: base addresses as `local_address` gives them."""
    return replace(
        known,
        rest=rest,
        public=f"{stream}/v5/public/linear",
        private=f"{stream}/v5/private",
        trade=f"{stream}/v5/trade" if known.trade else "",
    )


def local_address(text: str, scheme: str) -> str:
    """A base address on this machine, `scheme` (http, ws), host and perhaps port alone, without a trailing slash.

    Keys are sent there unencrypted, so InputError for everything else: other schemes, hosts that are not loopback by their
    text (127.0.0.0/8, [::1], localhost), users, paths.
    """
    found = re.fullmatch(rf"{scheme}://(localhost|\[::1\]|[0-9.]+)(?::([0-9]{{1,5}}))?/?", text)
    if found is None or not _is_loopback(found[1]) or not 0 < int(found[2] or 80) < 65_536:
        raise InputError(
            f"must be {scheme}://127.0.0.1:PORT (or localhost, [::1]): plain {scheme} to this machine is all that is allowed"
        )
    return text.removesuffix("/")


def _is_loopback(host: str) -> bool:
    try:
        return host in ("localhost", "[::1]") or IPv4Address(host).is_loopback
    except AddressValueError:
        return False


class Keys:
    """API key and secret; neither is ever part of a repr, a log line or an error."""

    __slots__ = ("_key", "_secret")

    def __init__(self, key: str, secret: str) -> None:
        self._key = key
        self._secret = secret

    def __repr__(self) -> str:
        return "Keys(***)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("keys are not written anywhere")

    @property
    def key(self) -> str:
        """The API key, for signing only."""
        return self._key

    @property
    def secret(self) -> str:
        """The secret, for signing only."""
        return self._secret

    def redact(self, text: str) -> str:
        """`text` with key and secret replaced, for messages that came from elsewhere."""
        for value in (self._secret, self._key):
            if len(value) >= 4:
                text = text.replace(value, "***")
        return text


def read_key_file(path: Path) -> Keys:
    """Keys from a file of two lines, key and secret. Refused when others may read it, InputError when it cannot be used."""
    try:
        with path.open() as file:
            others_must_not_read(path, os.fstat(file.fileno()).st_mode)
            lines = [line.strip() for line in file if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"key file {path}: {getattr(error, 'strerror', None) or 'not readable as text'}"
        ) from None
    if len(lines) != 2:
        raise InputError(
            f"key file {path}: has {len(lines)} lines; it must hold the key on one line and the secret on the next"
        )
    return Keys(lines[0], lines[1])


def others_must_not_read(path: Path, mode: int, what: str = "key file") -> None:
    """Refused unless the file's mode (st_mode) gives rights to its owner alone."""
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(f"{what} {path}: others can read it ({stat.S_IMODE(mode):04o}); chmod 600 {path}")
