"""Layer 4, client: what a text that names a peer says.

Knows usernames, phone numbers and the links that stand for a peer. Must not know the network: it
only reads, and says what it read.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from radiogram.client.ids import mark_channel
from radiogram.errors import PeerNotFound


class Me(msgspec.Struct, frozen=True):
    """The account itself."""


class Username(msgspec.Struct, frozen=True):
    """A public name, in lower case."""

    name: str


class Phone(msgspec.Struct, frozen=True):
    """A phone number, digits only."""

    digits: str


class Marked(msgspec.Struct, frozen=True):
    """A numeric id, see :mod:`radiogram.client.ids`."""

    id: int


class Invitation(msgspec.Struct, frozen=True):
    """The hash of an invitation link."""

    hash: str


Name = Me | Username | Phone | Marked

MAX_USERNAME = 32

# Patterns are compiled when they are first used: most programs need few of them.
_USERNAME = r"(?i:[a-z](?:_?[a-z0-9]){1,31})"
_DIGITS = r"[0-9]{5,20}"
_PHONE_FILLING = r"[\s().-]"
_LINK = r"(?i:[a-z][a-z0-9+.-]*://|(?:[\w-]+\.)?(?:t|telegram)\.(?:me|dog)/)"
_HOSTS = {"t.me", "telegram.me", "telegram.dog", "www.t.me", "www.telegram.me"}
_NOT_NAMES = {
    *("addemoji", "addlist", "addstickers", "addtheme", "auth", "bg", "boost", "call"),
    *("confirmphone", "contact", "giftcode", "invoice", "iv", "login", "m", "nft", "proxy"),
    *("setlanguage", "share", "socks", "web", "a", "k", "z"),
}
"""First parts of t.me links that are features of the site, and never usernames."""


def read_name(text: str) -> Name:
    """Read a username, "@name", phone number, t.me or tg: link, or "me".

    Raises PeerNotFound for anything else, saying why.
    """
    name = _read(text)
    if isinstance(name, Invitation):
        raise PeerNotFound(
            f"{text!r} is an invitation, which names no peer before it is accepted; accept it "
            "with `await client.join(link)`, and use the chat which that gives"
        )
    return name


def read_invitation(text: str) -> str | None:
    """Return the hash of an invitation link; None if the text is something else."""
    try:
        name = _read(text)
    except PeerNotFound:
        return None
    return name.hash or None if isinstance(name, Invitation) else None


def _read(text: str) -> Name | Invitation:
    stripped = text.strip()
    lowered = stripped.lower()
    if lowered in {"me", "self"}:
        return Me()
    if lowered.startswith("tg:"):
        return _read_tg(text, stripped)
    if re.match(_LINK, stripped):
        return _read_web(text, stripped)
    if stripped.startswith("-") and stripped[1:].isascii() and stripped[1:].isdigit():
        return Marked(int(stripped[:24]))
    return _phone(stripped) or _username(text, stripped.removeprefix("@"))


def _phone(text: str) -> Phone | None:
    digits = re.sub(_PHONE_FILLING, "", text).removeprefix("+")
    return Phone(digits) if re.fullmatch(_DIGITS, digits) else None


def _username(text: str, name: str) -> Username:
    if len(name) > MAX_USERNAME or not re.fullmatch(_USERNAME, name):
        raise PeerNotFound(
            f"{text!r} is no username, phone number, link or id; a username has letters, digits "
            "and single underscores, and begins with a letter"
        )
    return Username(name.lower())


def _read_web(text: str, link: str) -> Name | Invitation:
    if "://" not in link:
        link = "https://" + link
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
    except ValueError:
        raise PeerNotFound(f"{text!r} is no link that can be read") from None
    path = [unquote(part) for part in parts.path.split("/") if part]
    if host not in _HOSTS:
        name, _, site = host.partition(".")
        if site not in _HOSTS:
            raise PeerNotFound(f"{text!r} is a link to another site; links to t.me name peers")
        return _username(text, name)
    if not path:
        raise PeerNotFound(f"{text!r} names nobody; a link to a peer reads https://t.me/name")
    first = path[0]
    if first == "s" and len(path) > 1:
        first = path[1]
    if first.startswith(("+", " ")):
        phone = _phone(first.strip())
        return phone if phone is not None else Invitation(first[1:])
    if first == "joinchat":
        return Invitation("".join(path[1:2]))
    if first == "c" and len(path) > 1 and path[1].isascii() and path[1].isdigit():
        return Marked(mark_channel(int(path[1][:20])))
    if first.lower() in _NOT_NAMES:
        raise PeerNotFound(f"{text!r} is a link to something else than a peer")
    return _username(text, first.removeprefix("@"))


def _read_tg(text: str, link: str) -> Name | Invitation:
    try:
        parts = urlsplit(link)
        query = parse_qs(parts.query)
    except ValueError:
        raise PeerNotFound(f"{text!r} is no link that can be read") from None
    action = (parts.netloc or parts.path.strip("/")).lower()
    value = {name: values[0] for name, values in query.items()}
    if action == "resolve":
        if "domain" in value:
            return _username(text, value["domain"])
        phone = _phone(value.get("phone", ""))
        if phone is not None:
            return phone
    if action == "join":
        return Invitation(value.get("invite", ""))
    number = {"user": value.get("id", ""), "privatepost": value.get("channel", "")}.get(action, "")
    if number.isascii() and number.isdigit():
        return Marked(int(number[:20]) if action == "user" else mark_channel(int(number[:20])))
    raise PeerNotFound(f"{text!r} is a link to something else than a peer")
