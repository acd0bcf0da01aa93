from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram.errors import LocalProtocolError
from radiogram.wire.secret import MAX_DOMAIN, ProxySecret, make_link, read_link

from ..vectors import load, named

KEY = bytes.fromhex("852380f362a09343efb4690c4e17862e")


@pytest.mark.parametrize("case", **named(load("transport")["proxy_secrets"]))
def test_published_secrets(case: dict[str, Any]) -> None:
    if case["kind"] == "error":
        with pytest.raises(LocalProtocolError, match="no secret of an MTProxy") as caught:
            ProxySecret.parse(case["text"])
        assert len(case["text"]) < 3 or case["text"] not in str(caught.value)
        return
    secret = ProxySecret.parse(case["text"])
    assert secret.key.hex() == case["key"]
    assert secret.padded == (case["kind"] != "plain")
    assert secret.domain == case.get("domain", "")
    if "base64" in case:
        assert ProxySecret.parse(case["base64"]) == secret
        assert str(secret) == case["base64"]
    elif case["kind"] != "ee":
        assert str(secret) == case["text"]


secrets = st.builds(
    lambda key, kind, domain: ProxySecret(key, kind > 0, domain if kind > 1 else ""),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2),
    st.from_regex(r"[a-z0-9.-]{1,182}", fullmatch=True),
)


@given(secrets)
def test_every_way_to_write_a_secret(secret: ProxySecret) -> None:
    raw = (b"\xee" if secret.domain else b"\xdd" if secret.padded else b"") + secret.key
    raw += secret.domain.encode()
    for text in (raw.hex(), raw.hex().upper(), b64encode(raw).decode(), str(secret)):
        assert ProxySecret.parse(text) == secret
    link = make_link("proxy.example", 443, secret)
    assert link.startswith("tg://proxy?server=proxy.example&port=443&secret=")
    assert read_link(link) == ("proxy.example", 443, secret)
    assert read_link(f"https://t.me/proxy?{link.partition('?')[2]}")[2] == secret
    assert read_link(f"mtproxy://[::1]:8443/{secret}") == ("::1", 8443, secret)


@given(st.text(max_size=60))
def test_any_text_is_a_secret_or_is_refused(text: str) -> None:
    try:
        secret = ProxySecret.parse(text)
    except LocalProtocolError:
        return
    assert ProxySecret.parse(str(secret)) == secret


def test_base64_in_a_link_keeps_its_plus() -> None:
    raw = b"\xee" + b"\xfb" * 16 + b"example.com"
    text = b64encode(raw).decode()
    assert "+" in text
    _, _, secret = read_link(f"tg://proxy?server=192.0.2.1&port=443&secret={text}")
    assert secret.domain == "example.com"


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        (f"tg://proxy?port=443&secret={KEY.hex()}", "names no server"),
        (f"tg://proxy?server=a&secret={KEY.hex()}", "no usable port"),
        (f"tg://proxy?server=a&port=70000&secret={KEY.hex()}", "no usable port"),
        (f"tg://proxy?server=a&port=-1&secret={KEY.hex()}", "no usable port"),
        (f"mtproxy://a/{KEY.hex()}", "no usable port"),
        (f"mtproxy://[::1]/{KEY.hex()}", "no usable port"),
        ("tg://proxy?server=a&port=1", "no secret"),
        (f"tg://proxy?server=a&port=1&secret=ee{KEY.hex()}", "no secret"),
        (f"tg://proxy?server=a&port=1&secret=ee{KEY.hex()}{b'a b'.hex()}", "no secret"),
        (f"tg://proxy?server=a&port=1&secret=ee{KEY.hex()}{b'x'.hex() * 183}", "no secret"),
        (f"tg://proxy?server=a&port=1&secret=ee{KEY.hex()}ff", "no secret"),
    ],
)
def test_links_that_lead_nowhere(link: str, reason: str) -> None:
    with pytest.raises(LocalProtocolError, match=reason):
        read_link(link)


def test_a_secret_does_not_show_itself() -> None:
    secret = ProxySecret(KEY, True, "a" * MAX_DOMAIN)
    assert KEY.hex() not in repr(secret)
    assert "ee" in repr(secret)
    assert repr(ProxySecret(KEY, True)) == "<ProxySecret dd>"
    assert repr(ProxySecret(KEY)) == "<ProxySecret plain>"
