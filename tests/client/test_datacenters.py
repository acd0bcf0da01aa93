"""Where servers are: Telegram's own (D3, D4), and addresses of one's own."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from radiogram.client.datacenters import (
    Directory,
    ServerAddress,
    own_endpoint,
    telegram_endpoint,
)
from radiogram.client.sessions import SessionData
from radiogram.crypto import rsa
from radiogram.errors import ClientError
from radiogram.tl import api
from tests.client.fake import KEY

PEM = KEY.public.to_pem()
LINE = {"host": "127.0.0.1", "port": 20443, "dc_id": 2, "public_key": PEM, "fingerprint": 1}


@pytest.mark.parametrize(
    ("dc_id", "test_mode", "host"),
    [
        (1, False, "149.154.175.53"),
        (2, False, "149.154.167.51"),
        (3, False, "149.154.175.100"),
        (4, False, "149.154.167.91"),
        (5, False, "91.108.56.130"),
        (1, True, "149.154.175.10"),
        (2, True, "149.154.167.40"),
        (3, True, "149.154.175.117"),
    ],
)
def test_telegrams_data_centres(dc_id: int, test_mode: bool, host: str) -> None:
    endpoint = telegram_endpoint(dc_id, test_mode=test_mode)
    assert (endpoint.host, endpoint.port, endpoint.dc_id) == (host, 443, dc_id)
    assert endpoint.wire_dc == (dc_id + 10000 if test_mode else dc_id)
    assert endpoint.keys == (rsa.TEST_KEYS if test_mode else rsa.PRODUCTION_KEYS)
    assert str(endpoint) == f"DC {dc_id} at {host}:443"


@pytest.mark.parametrize(("dc_id", "test_mode"), [(0, False), (6, False), (4, True)])
def test_there_are_no_others(dc_id: int, test_mode: bool) -> None:
    with pytest.raises(ClientError, match=f"data centre {dc_id}"):
        telegram_endpoint(dc_id, test_mode=test_mode)


def test_the_configuration_knows_better_than_the_table() -> None:
    options = [
        api.DcOption(id=1, ip_address="192.0.2.1", port=443),
        api.DcOption(id=4, ip_address="192.0.2.9", port=443, cdn=True),
        api.DcOption(id=4, ip_address="192.0.2.8", port=443, tcpo_only=True),
        api.DcOption(id=4, ip_address="192.0.2.7", port=443, secret=b"x" * 16),
        api.DcOption(id=4, ip_address="192.0.2.4", port=5222),
    ]
    endpoint = telegram_endpoint(4, test_mode=False, options=options)
    assert (endpoint.host, endpoint.port) == ("192.0.2.4", 5222)


def test_the_session_knows_best() -> None:
    endpoint = telegram_endpoint(4, test_mode=False, host="192.0.2.44", port=80)
    assert (endpoint.host, endpoint.port) == ("192.0.2.44", 80)


# ── servers of one's own ─────────────────────────────────────────────────────────────────────────


def test_the_line_of_serve_is_read() -> None:
    address = ServerAddress.from_json(json.dumps(LINE))
    assert address == ServerAddress("127.0.0.1", 20443, 2, PEM)
    assert ServerAddress.from_json(json.dumps(LINE).encode() + b"\n") == address
    endpoint = own_endpoint(address)
    assert (endpoint.host, endpoint.port, endpoint.dc_id, endpoint.wire_dc) == (
        *("127.0.0.1", 20443),
        *(2, 2),
    )
    assert endpoint.keys == (KEY.public,)
    assert endpoint.own


@pytest.mark.parametrize(
    "line",
    [
        "",
        "listening on 127.0.0.1",
        "[]",
        "{}",
        json.dumps({**LINE, "port": "20443"}),
        json.dumps({**LINE, "public_key": None}),
        json.dumps({**LINE, "dc_id": True}),
        b"\xff\xfe",
    ],
)
def test_another_line_is_refused(line: str | bytes) -> None:
    with pytest.raises(ClientError):
        ServerAddress.from_json(line)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("127.0.0.1:443", "needs an object with host, port, dc_id and public_key"),
        (SimpleNamespace(host="h", port=1), "needs an object"),
        (ServerAddress("h", 1), "names h:1 but no public_key"),
        (ServerAddress("h", 1, 2, "no PEM"), "cannot be read"),
    ],
)
def test_an_incomplete_server_is_refused(server: Any, reason: str) -> None:
    with pytest.raises(ClientError, match=reason):
        own_endpoint(server)


def test_the_key_stays_out_of_the_repr() -> None:
    assert "BEGIN" not in repr(ServerAddress("h", 1, 2, PEM))


# ── several data centres ─────────────────────────────────────────────────────────────────────────

SEVERAL = {
    **LINE,
    "dcs": [
        {"dc_id": 1, "host": "127.0.0.1", "port": 20444},
        {"dc_id": 2, "host": "127.0.0.1", "port": 20443},
    ],
}
OPTIONS = [
    api.DcOption(id=1, ip_address="127.0.0.1", port=20444),
    api.DcOption(id=4, ip_address="127.0.0.1", port=20445),
    api.DcOption(id=4, ip_address="127.0.0.4", port=20446, media_only=True),
    api.DcOption(id=203, ip_address="127.0.0.9", port=20447, cdn=True),
]


def directory(**options: Any) -> Directory:
    made = Directory(ServerAddress("127.0.0.1", 20443, 2, PEM), **options)
    made.options = OPTIONS
    return made


def test_the_line_of_several_is_read() -> None:
    address = ServerAddress.from_json(json.dumps(SEVERAL))
    assert {dc_id: one.port for dc_id, one in address.addresses.items()} == {1: 20444, 2: 20443}
    assert address.addresses[1] == ServerAddress("127.0.0.1", 20444, 1, PEM)
    found = Directory(address).find(1)
    assert (found.port, found.dc_id, found.keys) == (20444, 1, (KEY.public,))
    with pytest.raises(ClientError):
        ServerAddress.from_json(json.dumps({**LINE, "dcs": [{"dc_id": 1}]}))


@pytest.mark.parametrize(("test_mode", "offset"), [(False, 0), (True, 10000)])
def test_the_configuration_leads_to_the_others(test_mode: bool, offset: int) -> None:
    found = directory(test_mode=test_mode).find(4)
    assert (found.host, found.port, found.dc_id) == ("127.0.0.1", 20445, 4)
    assert found.wire_dc == 4 + offset
    media = directory(test_mode=test_mode).find(4, "media")
    assert (media.host, media.port, media.wire_dc) == ("127.0.0.4", 20446, -4 - offset)  # A3.7


def test_where_no_address_is_meant_for_media_the_usual_one_is_taken() -> None:
    found = directory().find(1, "media")
    assert (found.port, found.wire_dc) == (20444, -1)


def test_a_cdn_has_other_keys() -> None:
    other = rsa.PrivateKey.generate().public
    found = directory().find(203, "cdn", keys=(other,))
    assert (found.host, found.keys) == ("127.0.0.9", (other,))
    for dc_id, purpose in ((203, "home"), (203, "media"), (4, "cdn")):
        with pytest.raises(ClientError, match=f"no address of DC {dc_id}"):
            directory().find(dc_id, purpose)


def test_a_dc_that_nobody_tells_of() -> None:
    with pytest.raises(ClientError, match="start it with that one among its dcs"):
        directory().find(5)
    telegram = Directory(None)
    with pytest.raises(ClientError, match="data centre 9"):
        telegram.find(9)
    with pytest.raises(ClientError, match="names no address of the CDN 203"):
        telegram.find(203, "cdn")


def test_telegrams_own_by_the_configuration() -> None:
    telegram = Directory(None)
    assert telegram.find(4).host == "149.154.167.91"
    telegram.options = [
        api.DcOption(id=4, ip_address="192.0.2.4", port=443),
        api.DcOption(id=4, ip_address="192.0.2.5", port=443, media_only=True),
        api.DcOption(id=4, ip_address="192.0.2.6", port=443, media_only=True, tcpo_only=True),
        api.DcOption(id=4, ip_address="2001:db8::4", port=443, ipv6=True),
        api.DcOption(id=203, ip_address="192.0.2.203", port=443, cdn=True),
    ]
    assert telegram.find(4).host == "192.0.2.4"
    assert telegram.find(4, "media").host == "192.0.2.5"
    assert telegram.find(203, "cdn").host == "192.0.2.203"
    telegram = Directory(None, ipv6=True)
    telegram.options = [api.DcOption(id=4, ip_address="2001:db8::4", port=443, ipv6=True)]
    assert telegram.find(4).host == "2001:db8::4"


def test_addresses_that_are_pushed() -> None:
    """updateDcOptions tells of the data centres that have moved."""
    telegram = Directory(None)
    telegram.options = [
        api.DcOption(id=number, ip_address=f"192.0.2.{number}", port=443) for number in (3, 4)
    ]
    moved = api.UpdateDcOptions(
        dc_options=[api.DcOption(id=4, ip_address="198.51.100.4", port=5222)]
    )
    for updates in (
        api.UpdateShort(update=moved, date=0),
        api.Updates(updates=[moved], users=[], chats=[], date=0, seq=0),
        api.UpdatesTooLong(),
    ):
        telegram.learn(updates)
        assert [(one.id, one.port) for one in telegram.options] == [(4, 5222), (3, 443)]
    assert telegram.find(4).host == "198.51.100.4"
    assert telegram.find(3).host == "192.0.2.3"


@pytest.mark.parametrize(
    ("data", "port"),
    [
        (SessionData(), 20443),
        (SessionData(dc_id=4, host="127.0.0.1", port=20999), 20443),  # no key: begin anew
        (SessionData(dc_id=2, host="127.0.0.1", port=1, auth_key=b"k" * 256), 20443),
        (SessionData(dc_id=4, host="127.0.0.1", port=20445, auth_key=b"k" * 256), 20445),
        # A session of Telegram's own is not a reason to dial Telegram.
        (SessionData(dc_id=4, host="149.154.167.91", port=443, auth_key=b"k" * 256), 20443),
    ],
)
def test_where_a_session_begins(data: SessionData, port: int) -> None:
    home = Directory(ServerAddress("127.0.0.1", 20443, 2, PEM)).home(data)
    assert (home.host, home.port) == ("127.0.0.1", port)
