import pickle
from pathlib import Path

import pytest

from turbo_trader.bybit.endpoints import Keys, endpoints, local_address, loopback, moved, read_key_file
from turbo_trader.market.errors import InputError, Refused


def test_demo_uses_the_market_stream_of_mainnet() -> None:
    demo = endpoints("demo")
    assert demo.public == endpoints("mainnet").public == "wss://stream.bybit.com/v5/public/linear"
    assert demo.private == "wss://stream-demo.bybit.com/v5/private"
    assert endpoints("testnet", tld="nl").rest == "https://api-testnet.bybit.nl"
    assert loopback(9).rest == "http://127.0.0.1:9"
    with pytest.raises(InputError):
        endpoints("prod")


def test_keys_are_never_shown() -> None:
    keys = Keys("KEYKEYKEY", "SECRETSECRET")
    assert "KEY" not in repr(keys) + str(keys) + f"{keys!r}"
    assert keys.redact("origin KEYKEYKEY and SECRETSECRET") == "origin *** and ***"
    with pytest.raises(TypeError):
        pickle.dumps(keys)


def test_a_key_file_must_be_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("the-key\nthe-secret\n")
    for mode in (0o644, 0o640, 0o604, 0o660, 0o601):
        path.chmod(mode)
        with pytest.raises(Refused, match="chmod 600"):
            read_key_file(path)
    path.chmod(0o600)
    assert read_key_file(path).secret == "the-secret"
    path.write_text("one line")
    with pytest.raises(InputError, match="has 1 lines"):
        read_key_file(path)
    with pytest.raises(InputError):
        read_key_file(tmp_path / "absent")


def test_an_environment_at_another_venue_stays_the_environment_it_is() -> None:
    there = moved(endpoints("testnet"), "http://127.0.0.1:9", "ws://127.0.0.1:9")
    assert (there.environment, there.rest, there.local) == ("testnet", "http://127.0.0.1:9", True)
    assert there.public == "ws://127.0.0.1:9/v5/public/linear"
    assert there.private == "ws://127.0.0.1:9/v5/private"
    assert there.trade == "ws://127.0.0.1:9/v5/trade"
    assert moved(endpoints("demo"), "http://127.0.0.1:9", "ws://127.0.0.1:9").trade == ""
    assert not endpoints("testnet").local


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:9000",
        "http://127.0.0.1",
        "http://127.8.9.1:1/",
        "http://[::1]:65535",
        "http://localhost:80",
    ],
)
def test_plain_http_to_this_machine_is_taken(text: str) -> None:
    assert local_address(text, "http") == text.removesuffix("/")


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:9000", "//127.0.0.1:9000", "https://127.0.0.1:9000", "ws://127.0.0.1:9000", "HTTP://127.0.0.1:9000",
        "http://127.0.0.1.evil.com", "http://127.0.0.1.evil.com:9000", "http://localhost.evil.com", "http://evil.com",
        "http://127.0.0.1@evil.com", "http://127.0.0.1:9000@evil.com", "http://user:secret@127.0.0.1:9000", "http://@127.0.0.1",
        "http://127.0.0.1:9000\\@evil.com", "http://evil.com#127.0.0.1", "http://evil.com?http://127.0.0.1:9000",
        "http://127.0.0.1:0", "http://127.0.0.1:65536", "http://127.0.0.1:", "http://127.0.0.1:9000x", "http://127.0.0.1:-1",
        "http://127.0.0.1:9000/v5", "http://127.0.0.1:9000//", "http://127.0.0.1:9000?a", "http://127.0.0.1:9000#a",
        "http://[::1", "http://::1:9000", "http://[::]:9000", "http://[::ffff:127.0.0.1]:9000", "http://[::1%lo]:9000",
        "http://0.0.0.0:9000", "http://10.0.0.1:9000", "http://128.0.0.1:9000", "http://127.1:9000", "http://2130706433",
        "http://0x7f.0.0.1", "http://127.0.0.01", "http://127.0.0.1:9000\n", " http://127.0.0.1:9000", "http://127.0.0.1\t:9000",
        "http://127.0.0.１:9000", "http://127.0.0.1:９", "http://", "http", "",
    ],
)  # fmt: skip
def test_every_other_address_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError, match=r"must be http://127\.0\.0\.1:PORT") as raised:
        local_address(text, "http")
    assert "secret" not in str(raised.value)
