"""Server layer: the keyboards that bots attach to messages.

Knows what a keyboard must look like and which of its input forms become output forms. Knows
nothing of what happens when somebody presses a button.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from radiogram.server.rpc import RpcFault
from radiogram.server.text import clean
from radiogram.tl import api

MAX_BUTTONS = 100
"""Buttons of one keyboard."""
MAX_BUTTON_TEXT = 256
"""Characters on one button."""

UserOf = Callable[[api.TypeInputUser], int]


def prepare(markup: api.TypeReplyMarkup | None, user_of: UserOf) -> api.TypeReplyMarkup | None:
    """Check a keyboard and return it as it is shown; None if it has no buttons to show.

    Faults: REPLY_MARKUP_INVALID, REPLY_MARKUP_TOO_LONG, BUTTON_*_INVALID.
    """
    match markup:
        case api.ReplyInlineMarkup():
            rows = _rows(markup.rows, api.KeyboardInlineButtonRow, _inline, user_of)
            if not rows:
                return None
            return api.ReplyInlineMarkup(rows=rows, force_reply=markup.force_reply)
        case api.ReplyKeyboardMarkup():
            rows = _rows(markup.rows, api.KeyboardButtonRow, _plain, user_of)
            if not rows:
                raise RpcFault(400, "REPLY_MARKUP_INVALID")
            return api.ReplyKeyboardMarkup(
                rows=rows,
                resize=markup.resize,
                single_use=markup.single_use,
                selective=markup.selective,
                persistent=markup.persistent,
                force_reply=markup.force_reply,
                placeholder=_placeholder(markup.placeholder),
            )
        case api.ReplyKeyboardForceReply():
            return api.ReplyKeyboardForceReply(
                single_use=markup.single_use,
                selective=markup.selective,
                placeholder=_placeholder(markup.placeholder),
            )
        case _:
            return markup


def _placeholder(text: str | None) -> str | None:
    if text is None:
        return None
    text = clean(text).strip()
    if len(text) > 64:
        raise RpcFault(400, "REPLY_MARKUP_INVALID")
    return text or None


def _rows(
    rows: list[Any],
    row_class: Callable[..., Any],
    button_type: Callable[[Any, UserOf], Any],
    user_of: UserOf,
) -> list[Any]:
    if sum(len(row.buttons) for row in rows) > MAX_BUTTONS:
        raise RpcFault(400, "REPLY_MARKUP_TOO_LONG")
    shown = []
    for row in rows:
        buttons = []
        for button in row.buttons:
            text = clean(button.text).strip()
            if not text:
                raise RpcFault(400, "REPLY_MARKUP_INVALID")
            if len(text) > MAX_BUTTON_TEXT:
                raise RpcFault(400, "REPLY_MARKUP_TOO_LONG")
            buttons.append(
                type(button)(text=text, type=button_type(button.type, user_of), style=button.style)
            )
        if buttons:
            shown.append(row_class(buttons=buttons))
    return shown


def _plain(kind: api.TypeButtonType, _user_of: UserOf) -> api.TypeButtonType:
    match kind:
        case api.InputButtonTypeRequestPeer():
            return api.ButtonTypeRequestPeer(
                button_id=kind.button_id,
                peer_type=kind.peer_type,
                max_quantity=kind.max_quantity,
            )
        case api.ButtonTypeSimpleWebView():
            return api.ButtonTypeSimpleWebView(url=_url(kind.url, secure=True))
        case _:
            return kind


def _inline(kind: api.TypeInlineButtonType, user_of: UserOf) -> api.TypeInlineButtonType:
    match kind:
        case api.InlineButtonTypeCallback():
            if not 1 <= len(kind.data) <= 64:
                raise RpcFault(400, "BUTTON_DATA_INVALID")
            return kind
        case api.InlineButtonTypeUrl():
            return api.InlineButtonTypeUrl(url=_url(kind.url))
        case api.InlineButtonTypeWebView():
            return api.InlineButtonTypeWebView(url=_url(kind.url, secure=True))
        case api.InputInlineButtonTypeUrlAuth():
            return api.InlineButtonTypeUrlAuth(
                url=_url(kind.url, secure=True), fwd_text=kind.fwd_text, button_id=1
            )
        case api.InlineButtonTypeCopy():
            if not 1 <= len(kind.copy_text) <= 256:
                raise RpcFault(400, "BUTTON_COPY_TEXT_INVALID")
            return api.InlineButtonTypeCopy(copy_text=clean(kind.copy_text))
        case api.InputInlineButtonTypeUserProfile():
            try:
                return api.InlineButtonTypeUserProfile(user_id=user_of(kind.user_id))
            except RpcFault:
                raise RpcFault(400, "BUTTON_USER_INVALID") from None
        case api.InlineButtonTypeSwitchInline() | api.InlineButtonTypeDisabled():
            return kind
        case _:  # games and invoices, which no text message carries, and output forms
            raise RpcFault(400, "BUTTON_TYPE_INVALID")


def _url(url: str, *, secure: bool = False) -> str:
    url = clean(url).strip()
    scheme, colon, rest = url.partition("://")
    if not colon:
        scheme, rest = "https", url
        url = f"https://{url}"
    known = scheme.lower() in (("https",) if secure else ("https", "http", "tg", "ton"))
    if not known or not rest or len(url) > 2048 or " " in url or "\n" in url:
        raise RpcFault(400, "BUTTON_URL_INVALID")
    return url
