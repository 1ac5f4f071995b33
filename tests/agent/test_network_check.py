"""The check for IT: one line a server, and a status that scripts can use."""

import asyncio
import ssl

import pytest

from agent.network_check import check_all, main
from tests.agent.media.turn_server import fake_turn


def test_each_server_has_its_line_and_one_that_is_gone_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    async def ask() -> tuple[bool, bool]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with fake_turn() as gone:
            port = gone.port
        async with fake_turn() as server:
            here = f"turn:127.0.0.1:{server.port}"
            return await check_all([here], tls), await check_all(
                [here, f"stun:127.0.0.1:{port}", "turn:"], tls
            )

    assert asyncio.run(ask()) == (True, False)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["Addresses", "ok", "Addresses", "ok", "FAULT", "FAULT"]
    assert "Connection refused" in lines[4]


def test_a_ca_file_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--ca-file", "/nowhere/ca.pem", "turn:127.0.0.1"])
    assert "/nowhere/ca.pem: No such file" in capsys.readouterr().err
