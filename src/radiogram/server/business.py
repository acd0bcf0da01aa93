"""Server layer: bots that act for an account, over its business connection (A12.9, B6.18).

Knows which bot is connected to whom, for which chats and with which rights, and what a bot may
call over a connection. Knows nothing of what those calls do: :func:`enter` lets the call go on as
one of the owner, and its handler is none the wiser.

An account has one connection. One that was ended keeps its row, so that the bot can still ask
about it; a new one takes its place under another id.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from msgspec.structs import replace
from sqlalchemy import Connection, Row, delete, exists, insert, select

from radiogram.server import bot_events, message_store, render, user_store
from radiogram.server.authorizations import Authorization
from radiogram.server.rights import bits_of
from radiogram.server.rows import MessageRow, Peer
from radiogram.server.rpc import Caller, RpcFault
from radiogram.server.statement import Statement
from radiogram.server.tables import PEER_USER, boxes, business_bots, business_paused, messages
from radiogram.server.updates import Changes
from radiogram.tl import api
from radiogram.tl.base import Request

if TYPE_CHECKING:
    from radiogram.server.rpc import Context

RIGHTS = bits_of("businessBotRights")
"""The bit of each right of a connected bot, by its name in TL."""

_ANY = Statement(select(business_bots.c.user_id).where(~business_bots.c.disabled).limit(1))

_Told = (
    api.UpdateBotNewBusinessMessage
    | api.UpdateBotEditBusinessMessage
    | api.UpdateBotDeleteBusinessMessage
)

_RECENT = 24 * 3600
"""Seconds for which somebody who wrote to the owner can be written to over a connection."""


class Link(NamedTuple):
    """The connection of an account to a bot."""

    user_id: int
    """The owner: the account for which the bot acts."""
    connection_id: str
    bot_id: int
    date: int
    rights: int
    recipients: api.BusinessBotRecipients
    disabled: bool


# ------------------------------------------------------------------ rows


def find(tx: Connection, connection_id: str) -> Link | None:
    """Return the connection of that id, also if it has ended."""
    if not connection_id.isascii():  # no database takes broken text
        return None
    query = select(business_bots).where(business_bots.c.connection_id == connection_id)
    return _link(tx.execute(query).first())


def of_owner(tx: Connection, user_id: int) -> Link | None:
    """Return the living connection of an account."""
    query = select(business_bots).where(business_bots.c.user_id == user_id)
    link = _link(tx.execute(query).first())
    return None if link is None or link.disabled else link


def new_id(ctx: Context) -> str:
    """Return an id for a new connection, which nobody can guess."""
    return urlsafe_b64encode(ctx.world.random(18)).decode()


def save(tx: Connection, link: Link) -> None:
    """Keep a connection, in place of the one that its owner had."""
    tx.execute(delete(business_bots).where(business_bots.c.user_id == link.user_id))
    values = link._asdict() | {"recipients": render.encode(link.recipients)}
    tx.execute(insert(business_bots).values(values))


def pause(tx: Connection, user_id: int, peer_id: int | None, *, paused: bool) -> None:
    """Keep the bot out of one private chat for a while, or let it in again (None: everywhere)."""
    rows = business_paused.c
    chosen = rows.user_id == user_id
    if peer_id is not None:
        chosen &= rows.peer_id == peer_id
    tx.execute(delete(business_paused).where(chosen))
    if paused:
        tx.execute(insert(business_paused).values(user_id=user_id, peer_id=peer_id))


def _link(row: Row[Any] | None) -> Link | None:
    if row is None:
        return None
    recipients = cast(api.BusinessBotRecipients, render.decode(row.recipients))
    return Link(
        row.user_id,
        row.connection_id,
        row.bot_id,
        row.date,
        row.rights,
        recipients,
        bool(row.disabled),
    )


# ------------------------------------------------------------------ which chats


def serves(tx: Connection, link: Link, peer_id: int) -> bool:
    """Tell whether the bot may act in the owner's private chat with somebody now."""
    paused = select(exists().where(*_pause_of(link, peer_id)))
    return is_chosen(tx, link, peer_id) and not tx.execute(paused).scalar()


def is_chosen(tx: Connection, link: Link, peer_id: int) -> bool:
    """Tell whether the owner has chosen a private chat for the bot, paused or not."""
    if peer_id in (link.user_id, link.bot_id):
        return False
    sides = user_store.load_sides(tx, link.user_id, peer_id)
    if peer_id not in sides:
        return False
    wanted = link.recipients
    is_contact = sides[link.user_id].contact is not None
    chosen = peer_id in (wanted.users or ()) or (
        wanted.contacts if is_contact else wanted.non_contacts
    )
    if not chosen and (wanted.existing_chats or wanted.new_chats):
        existed = _has_message(tx, link, peer_id, messages.c.date <= link.date)
        chosen = wanted.existing_chats if existed else wanted.new_chats
    return chosen != wanted.exclude_selected and peer_id not in (wanted.exclude_users or ())


def without(recipients: api.BusinessBotRecipients, peer_id: int) -> api.BusinessBotRecipients:
    """Return the choice of chats that leaves out one more."""
    users = [number for number in recipients.users or () if number != peer_id]
    if recipients.exclude_selected:
        return replace(recipients, users=[*users, peer_id])
    excluded = [number for number in recipients.exclude_users or () if number != peer_id]
    return replace(recipients, users=users or None, exclude_users=[*excluded, peer_id])


def _pause_of(link: Link, peer_id: int) -> tuple[Any, ...]:
    return business_paused.c.user_id == link.user_id, business_paused.c.peer_id == peer_id


def _has_message(tx: Connection, link: Link, peer_id: int, *conditions: Any) -> bool:
    found = exists().where(
        boxes.c.box_id == link.user_id,
        boxes.c.peer_type == PEER_USER,
        boxes.c.peer_id == peer_id,
        messages.c.content_id == boxes.c.content_id,
        *conditions,
    )
    return bool(tx.execute(select(found)).scalar())


# ------------------------------------------------------------------ what is told


def connection(ctx: Context, link: Link) -> api.BotBusinessConnection:
    """Return a connection as its bot is told of it."""
    return api.BotBusinessConnection(
        disabled=link.disabled,
        connection_id=link.connection_id,
        user_id=link.user_id,
        dc_id=ctx.world.dc_id,
        date=link.date,
        rights=rights(link.rights) if link.rights and not link.disabled else None,
    )


def rights(mask: int) -> api.BusinessBotRights:
    """Return the TL form of a connected bot's rights."""
    flags: dict[str, Any] = {name: True for name, bit in RIGHTS.items() if mask & bit}
    return api.BusinessBotRights(**flags)


def tell(ctx: Context, changes: Changes, link: Link) -> None:
    """Tell a bot what became of its connection; it can be offline and asks later (C0.3.4)."""
    said = connection(ctx, link)
    bot_events.log(
        ctx,
        changes,
        link.bot_id,
        lambda qts: api.UpdateBotBusinessConnect(connection=said, qts=qts),
    )


def tell_written(
    ctx: Context, changes: Changes, copies: Sequence[MessageRow], *, edited: bool = False
) -> None:
    """Tell bots what was written, or edited, in the private chats in which they act."""
    kind = api.UpdateBotEditBusinessMessage if edited else api.UpdateBotNewBusinessMessage
    for link, row in _served(ctx.tx, copies):
        replied = None
        if row.reply_to_id is not None:
            replied = message_store.find_message(ctx.tx, row.box_id, row.reply_to_id)
        said = kind(
            connection_id=link.connection_id,
            message=render.message(row, row.box_id),
            reply_to_message=None if replied is None else render.message(replied, row.box_id),
            qts=0,
        )
        bot_events.log(ctx, changes, link.bot_id, partial(_counted, said))


def tell_deleted(ctx: Context, changes: Changes, copies: Sequence[MessageRow]) -> None:
    """Tell bots which messages are gone from the private chats in which they act."""
    gone: dict[tuple[int, Peer], tuple[Link, list[int]]] = {}
    for link, row in _served(ctx.tx, copies):
        gone.setdefault((row.box_id, row.peer), (link, []))[1].append(row.id)
    for (_, peer), (link, ids) in gone.items():
        said = api.UpdateBotDeleteBusinessMessage(
            connection_id=link.connection_id, peer=render.peer(peer), messages=sorted(ids), qts=0
        )
        bot_events.log(ctx, changes, link.bot_id, partial(_counted, said))


def _counted(said: _Told, qts: int) -> _Told:
    return replace(said, qts=qts)


def _served(tx: Connection, copies: Sequence[MessageRow]) -> Iterator[tuple[Link, MessageRow]]:
    """Return the copies that lie where a bot acts, each with its connection."""
    if not _ANY.rows(tx, {}):  # on most servers nobody has a bot
        return
    owners = {row.box_id for row in copies if row.peer.type == PEER_USER}
    links = {number: link for number in owners if (link := of_owner(tx, number)) is not None}
    served: dict[tuple[int, Peer], bool] = {}
    for row in copies:
        link, chat = links.get(row.box_id), (row.box_id, row.peer)
        if link is None or row.peer.type != PEER_USER:
            continue
        if chat not in served:
            served[chat] = serves(tx, link, row.peer.id)
        if served[chat]:
            yield link, row


def shown_to(ctx: Context, bot_id: int, value: object) -> object:
    """Return the result of an owner's call as the bot gets it: people have its access hashes."""
    people = render.People(ctx.tx, ctx.now)
    match value:
        case api.Updates():
            return replace(
                value,
                users=people.seen_by(bot_id, [user.id for user in value.users]),
                chats=people.chats_seen_by(bot_id, [chat.id for chat in value.chats]),
            )
        case api.User():
            return people.seen_by(bot_id, [value.id])[0]
    return value


# ------------------------------------------------------------------ calls over a connection


def enter(ctx: Context, connection_id: str, call: Request[Any]) -> Request[Any]:
    """Make a bot's call one of the owner of a connection, and return it in the owner's terms.

    From here on `ctx` is the owner's: its box, its rights, its access hashes; all its sessions
    are told, since none of them called. Faults: BUSINESS_CONNECTION_NOT_ALLOWED,
    BUSINESS_CONNECTION_INVALID, BUSINESS_PEER_INVALID, BUSINESS_PEER_USAGE_MISSING.
    """
    if not ctx.is_bot:
        raise RpcFault(400, "BUSINESS_CONNECTION_NOT_ALLOWED")
    link = find(ctx.tx, connection_id)
    if link is None or link.disabled or link.bot_id != ctx.user_id:
        raise RpcFault(400, "BUSINESS_CONNECTION_INVALID")
    owner = user_store.load_users(ctx.tx, [link.user_id]).get(link.user_id)
    if owner is None or owner.deleted:
        raise RpcFault(400, "BUSINESS_CONNECTION_INVALID")
    match call:
        case api.messages.UpdatePinnedMessage() | api.messages.EditMessage():
            _check_rights(link, "reply")
            call = replace(call, peer=_find_peer(ctx, link, call.peer))
        case api.messages.SendMessage() | api.messages.SetTyping():
            _check_rights(link, "reply")
            peer = _find_peer(ctx, link, call.peer)
            lately = messages.c.date > ctx.now - _RECENT
            if not _has_message(ctx.tx, link, peer.user_id, ~boxes.c.out, lately):
                raise RpcFault(400, "BUSINESS_PEER_USAGE_MISSING")
            call = replace(call, peer=peer)
        case api.messages.ReadHistory():
            _check_rights(link, "read_messages")
            call = replace(call, peer=_find_peer(ctx, link, call.peer))
        case api.messages.DeleteMessages():
            _check_deletion(ctx, link, call.id)
        case api.account.UpdateProfile():
            named = call.first_name is not None or call.last_name is not None
            _check_rights(link, *["edit_name"] * named, *["edit_bio"] * (call.about is not None))
        case api.account.UpdateUsername():
            _check_rights(link, "edit_username")
        case _:  # no other method of this server can be called over a connection
            raise RpcFault(400, "BUSINESS_CONNECTION_NOT_ALLOWED")
    ctx.caller = Caller(Authorization(user_id=link.user_id), layer=ctx.layer)
    return call


def _check_rights(link: Link, *names: str) -> None:
    if any(not link.rights & RIGHTS[name] for name in names):
        raise RpcFault(400, "BUSINESS_CONNECTION_NOT_ALLOWED")


def _check_deletion(ctx: Context, link: Link, ids: list[int]) -> None:
    for row in message_store.find_messages(ctx.tx, link.user_id, ids).values():
        _check_rights(link, "delete_sent_messages" if row.out else "delete_received_messages")
        if row.peer.type != PEER_USER or not serves(ctx.tx, link, row.peer.id):
            raise RpcFault(400, "BUSINESS_PEER_INVALID")


def _find_peer(ctx: Context, link: Link, peer: api.TypeInputPeer) -> api.InputPeerUser:
    """Return the owner's name for the chat that a bot means.

    The bot may know its access hash as its own, or from the owner, or not at all (0): that the
    chat is served says enough. A wrong one is left for the handler to refuse.
    """
    if not isinstance(peer, api.InputPeerUser) or not serves(ctx.tx, link, peer.user_id):
        raise RpcFault(400, "BUSINESS_PEER_INVALID")
    rows = user_store.load_users(ctx.tx, [link.user_id, link.bot_id])
    own, bots = (
        render.access_hash(rows[viewer].access_secret, peer.user_id)
        for viewer in (link.user_id, link.bot_id)
    )
    return replace(peer, access_hash=own) if peer.access_hash in (0, bots) else peer


__all__ = [
    "RIGHTS",
    "Link",
    "connection",
    "enter",
    "find",
    "is_chosen",
    "new_id",
    "of_owner",
    "pause",
    "rights",
    "save",
    "serves",
    "shown_to",
    "tell",
    "tell_deleted",
    "tell_written",
    "without",
]
