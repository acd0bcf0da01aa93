"""Server layer, faults: requests and results that are not what they should be (E25, E26, E32, E33).

Knows how TL objects are changed. What needs the rest of the server is imported when it happens:
the modules that answer calls know this package.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from radiogram.errors import SchemaError
from radiogram.server.faults.base import FaultError
from radiogram.tl import api
from radiogram.tl.base import Request, TLObject
from radiogram.tl.build import registry

if TYPE_CHECKING:
    from radiogram.server.rpc import Context

Change = Callable[["Context", Request[Any], Any], object]


def check_layer(layer: int) -> None:
    """Raise FaultError for a layer that nobody speaks."""
    try:
        registry(layer)
    except SchemaError as error:
        raise FaultError(f"layer: {error}") from None


# ------------------------------------------------------------------ updates


def too_long(ctx: Context, _request: Request[Any], _value: object) -> object:
    """Say of a difference that it is too long."""
    from radiogram.server import user_store

    return api.updates.DifferenceTooLong(
        pts=user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id].pts
    )


def channel_too_long(ctx: Context, request: Request[Any], _value: object) -> object:
    """Say of a channel's difference that it is too long, and how the channel is now."""
    from radiogram.server import difference, peers

    wanted = cast(api.updates.GetChannelDifference, request)
    room = peers.resolve_channel(ctx, wanted.channel)
    return difference.too_long(ctx, room, wanted.limit)


def slicer(events: int) -> Callable[[Request[Any]], Request[Any]]:
    """Return what lets a request for a difference ask for no more than so many events."""

    def alter(request: Request[Any]) -> Request[Any]:
        if isinstance(request, api.updates.GetChannelDifference):
            return replace(request, limit=min(request.limit, events))
        if isinstance(request, api.updates.GetDifference):
            return replace(request, pts_limit=events, qts_limit=events)
        return request

    return alter


# ------------------------------------------------------------------ files


def shortener(bytes_less: int) -> Change:
    """Return what cuts the end off a piece of a file."""
    if bytes_less < 1:
        raise FaultError(f"bytes_less: {bytes_less} is nothing; give 1 or more")

    def change(_ctx: Context, _request: Request[Any], value: Any) -> object:
        data = getattr(value, "bytes", None)
        return value if data is None else replace(value, bytes=data[:-bytes_less])

    return change


def corrupt(_ctx: Context, _request: Request[Any], value: Any) -> object:
    """Change the first byte of a piece of a file."""
    data = getattr(value, "bytes", None)
    return value if not data else replace(value, bytes=bytes([data[0] ^ 1]) + data[1:])


def cdn_redirect(dc_id: int) -> Callable[[Request[Any]], object]:
    """Return what sends a request for a file to a CDN; keys and token are the same each time."""

    def answer(_request: Request[Any]) -> object:
        key = sha256(f"cdn {dc_id}".encode()).digest()
        return api.upload.FileCdnRedirect(
            dc_id=dc_id,
            file_token=key[:16],
            encryption_key=key,
            encryption_iv=key[16:],
            file_hashes=[],
        )

    return answer


def reupload_needed(request: Request[Any]) -> object:
    """Let a CDN ask for the file."""
    token = bytes(getattr(request, "file_token", b""))
    return api.upload.CdnFileReuploadNeeded(request_token=sha256(token).digest()[:16])


# ------------------------------------------------------------------ configuration and accounts


def config_changer(port: int, expired: bool) -> Change:
    """Return what changes help.getConfig."""

    def change(_ctx: Context, _request: Request[Any], value: Any) -> object:
        if not isinstance(value, api.Config):
            return value
        if port:
            options = [replace(option, port=port) for option in value.dc_options]
            value = replace(value, dc_options=options)
        return replace(value, expires=value.date - 1) if expired else value

    return change


def frozen_config(value: object, since: int, until: int) -> object:
    """Tell in help.getAppConfig that the account is frozen."""
    if not isinstance(value, api.help.AppConfig) or not isinstance(value.config, api.JsonObject):
        return value
    number = {"freeze_since_date": since, "freeze_until_date": until}
    entries: list[api.TypeJSONObjectValue] = [
        *value.config.value,
        *(
            api.JsonObjectValue(key=key, value=api.JsonNumber(value=float(when)))
            for key, when in number.items()
        ),
        api.JsonObjectValue(
            key="freeze_appeal_url", value=api.JsonString(value="https://t.me/SpamBot")
        ),
    ]
    return replace(value, config=api.JsonObject(value=entries), hash=value.hash ^ 1)


def with_premium(value: Any, accounts: set[int]) -> Any:
    """Return a TL value in which these accounts have Premium."""
    if isinstance(value, list):
        return [with_premium(item, accounts) for item in value]
    if isinstance(value, api.User):
        return replace(value, premium=True) if value.id in accounts else value
    if isinstance(value, TLObject):
        changed = {}
        for name in value.__struct_fields__:
            part = getattr(value, name)
            if isinstance(part, list | TLObject):
                changed[name] = with_premium(part, accounts)
        return replace(value, **changed) if changed else value
    return value
