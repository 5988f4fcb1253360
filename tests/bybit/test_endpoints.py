import pickle
from pathlib import Path

import pytest

from turbo_trader.bybit.endpoints import Keys, endpoints, loopback, read_key_file
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
