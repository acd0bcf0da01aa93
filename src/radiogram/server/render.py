"""Server layer: from rows to TL objects, as one account sees them.

Knows the rows and the newest layer. Writes nothing, and knows nothing of who may see what
beyond the fields of the objects themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, cast

from radiogram.server import store
from radiogram.server.db import PEER_CHANNEL, PEER_CHAT, PEER_USER
from radiogram.server.store import ContactRow, DialogRow, MessageRow, Peer, Side, UserRow
from radiogram.tl import api
from radiogram.tl.build import registry

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TL = registry(api.LAYER)


def encode(value: object) -> bytes:
    """Serialise one TL value for a column."""
    return _TL.encode(value)


def decode(value: bytes) -> object:
    """Read back what :func:`encode` wrote."""
    return _TL.decode(value)


def encode_entities(entities: list[api.TypeMessageEntity]) -> bytes | None:
    """Serialise the entities of a text for a column; None if there are none."""
    return encode(api.TextWithEntities(text="", entities=entities)) if entities else None


def decode_entities(value: bytes | None) -> list[api.TypeMessageEntity]:
    """Read back what :func:`encode_entities` wrote."""
    return cast(api.TextWithEntities, decode(value)).entities if value else []


# ------------------------------------------------------------------ peers and users


def access_hash(secret: bytes, target_id: int) -> int:
    """Return the access hash that the account with this secret has for a target (C0.1.1).

    A signed 64-bit number, never 0. The secret is the viewer's ``access_secret``, so that no
    account can use what another has seen.
    """
    digest = blake2b(target_id.to_bytes(8, "little", signed=True), key=secret, digest_size=8)
    return int.from_bytes(digest.digest(), "little", signed=True) or 1


def peer(value: Peer | tuple[int, int]) -> api.TypePeer:
    """Return the TL form of a peer."""
    kind, number = value
    if kind == PEER_USER:
        return api.PeerUser(user_id=number)
    if kind == PEER_CHAT:
        return api.PeerChat(chat_id=number)
    return api.PeerChannel(channel_id=number)


def peer_of(value: api.TypePeer) -> Peer:
    """Return the rows' form of a TL peer."""
    match value:
        case api.PeerUser():
            return Peer(PEER_USER, value.user_id)
        case api.PeerChat():
            return Peer(PEER_CHAT, value.chat_id)
        case _:
            return Peer(PEER_CHANNEL, value.channel_id)


def user(
    viewer: UserRow,
    target: UserRow,
    contact: ContactRow | None,
    reverse: ContactRow | None,
    now: int,
) -> api.User:
    """Return an account as another sees it.

    `contact` is the viewer's entry about the target, `reverse` the target's about the viewer.
    """
    myself = viewer.id == target.id
    secret = access_hash(viewer.access_secret, target.id)
    if target.deleted:
        return api.User(id=target.id, access_hash=secret, deleted=True, self=myself)
    first_name, last_name = target.first_name, target.last_name
    if contact is not None and (contact.first_name or contact.last_name):
        first_name, last_name = contact.first_name, contact.last_name
    # Open defaults: a number is seen by those who have it in their address book and by those
    # who are in the owner's.
    shows_phone = myself or contact is not None or reverse is not None
    return api.User(
        id=target.id,
        access_hash=secret,
        self=myself,
        contact=contact is not None,
        mutual_contact=contact is not None and contact.mutual,
        bot=target.is_bot,
        bot_info_version=1 if target.is_bot else None,
        first_name=first_name or None,
        last_name=last_name or None,
        username=target.username,
        phone=target.phone if shows_phone else None,
        status=None if target.is_bot else status(target, now),
    )


def status(target: UserRow, now: int) -> api.TypeUserStatus:
    """Return when an account is or was online."""
    if target.online_until > now:
        return api.UserStatusOnline(expires=target.online_until)
    if target.online_until:
        return api.UserStatusOffline(was_online=target.online_until)
    return api.UserStatusEmpty()


class People:
    """The accounts that one request has to show, read once."""

    def __init__(self, tx: Connection, now: int, sides: Iterable[Side] = ()) -> None:
        self._tx = tx
        self._now = now
        self._rows: dict[int, UserRow] = {}
        self._contacts: dict[tuple[int, int], ContactRow] = {}
        self._pairs: set[tuple[int, int]] = set()
        sides = tuple(sides)
        for side in sides:
            self._rows[side.user.id] = side.user
            if side.contact is not None:
                self._contacts[side.contact.owner_id, side.contact.user_id] = side.contact
        for one in sides:
            for other in sides:
                self._pairs.add((one.user.id, other.user.id))

    def rows(self, ids: Iterable[int]) -> dict[int, UserRow]:
        """Return accounts by id; unknown ids are left out."""
        missing = [number for number in ids if number not in self._rows]
        if missing:
            self._rows.update(store.load_users(self._tx, missing))
        return self._rows

    def seen_by(self, viewer_id: int, ids: Iterable[int]) -> list[api.TypeUser]:
        """Return full user objects for one viewer, in the order of their ids (C0.1.2)."""
        wanted = sorted(set(ids))
        if not wanted:
            return []
        rows = self.rows([viewer_id, *wanted])
        viewer = rows[viewer_id]
        new = [number for number in wanted if (viewer_id, number) not in self._pairs]
        if new:
            for entry in store.load_contacts(self._tx, viewer_id, new):
                self._contacts[entry.owner_id, entry.user_id] = entry
            for number in new:
                self._pairs.update(((viewer_id, number), (number, viewer_id)))
        return [
            user(
                viewer,
                rows[number],
                self._contacts.get((viewer_id, number)),
                self._contacts.get((number, viewer_id)),
                self._now,
            )
            for number in wanted
            if number in rows
        ]


# ------------------------------------------------------------------ messages


def message(row: MessageRow) -> api.Message | api.MessageService:
    """Return a copy of a message as its owner sees it."""
    reply_to = None
    if row.reply is not None:
        reply_to = cast(api.MessageReplyHeader, decode(row.reply))
        reply_to.reply_to_msg_id = row.reply_to_id
    elif row.reply_to_id is not None:
        reply_to = api.MessageReplyHeader(reply_to_msg_id=row.reply_to_id)
    fwd_from = cast(api.MessageFwdHeader, decode(row.fwd_from)) if row.fwd_from else None
    saved = saved_peer(row, fwd_from)
    if row.action is not None:
        return api.MessageService(
            id=row.id,
            out=row.out,
            silent=row.silent,
            from_id=api.PeerUser(user_id=row.sender_id),
            peer_id=peer(row.peer),
            saved_peer_id=saved,
            reply_to=reply_to,
            date=row.date,
            action=cast(api.TypeMessageAction, decode(row.action)),
        )
    return api.Message(
        id=row.id,
        out=row.out,
        silent=row.silent,
        pinned=row.pinned,
        noforwards=row.noforwards,
        edit_hide=row.edit_hide,
        from_id=api.PeerUser(user_id=row.sender_id),
        peer_id=peer(row.peer),
        saved_peer_id=saved,
        fwd_from=fwd_from,
        reply_to=reply_to,
        date=row.date,
        message=row.text,
        entities=decode_entities(row.entities) or None,
        edit_date=row.edit_date,
        reply_markup=(
            cast(api.TypeReplyMarkup, decode(row.reply_markup)) if row.reply_markup else None
        ),
    )


def saved_peer(row: MessageRow, fwd_from: api.MessageFwdHeader | None) -> api.TypePeer | None:
    """Return the chat within Saved Messages to which a message there belongs."""
    if row.peer != (PEER_USER, row.user_id):
        return None
    if fwd_from is not None and fwd_from.saved_from_peer is not None:
        return fwd_from.saved_from_peer
    return api.PeerUser(user_id=row.user_id)


def dialog(row: DialogRow) -> api.Dialog:
    """Return an entry of the list of chats."""
    # Nothing is ever unread in one's own chat, on either side.
    myself = row.peer == (PEER_USER, row.user_id)
    return api.Dialog(
        peer=peer(row.peer),
        top_message=row.top_message,
        read_inbox_max_id=row.top_message if myself else row.read_inbox_max_id,
        read_outbox_max_id=row.top_message if myself else row.read_outbox_max_id,
        unread_count=row.unread_count,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=api.PeerNotifySettings(),
    )


# ------------------------------------------------------------------ who is mentioned (C0.1.2)


def user_ids(value: object) -> set[int]:
    """Return the ids of the accounts that a message, an update or a dialog mentions."""
    found: set[int] = set()
    _collect(value, found)
    return found


def _collect(value: object, found: set[int]) -> None:
    match value:
        case api.Message() | api.MessageService():
            _collect(value.from_id, found)
            _collect(value.peer_id, found)
            _collect(value.saved_peer_id, found)
            if isinstance(value.reply_to, api.MessageReplyHeader):
                _collect(value.reply_to.reply_from, found)
            if isinstance(value, api.Message):
                _collect(value.fwd_from, found)
                for entity in value.entities or ():
                    if isinstance(entity, api.MessageEntityMentionName):
                        found.add(entity.user_id)
        case api.MessageFwdHeader():
            _collect(value.from_id, found)
            _collect(value.saved_from_peer, found)
            _collect(value.saved_from_id, found)
        case api.PeerUser() | api.UpdateUserTyping():
            found.add(value.user_id)
        case api.UpdateNewMessage() | api.UpdateEditMessage():
            _collect(value.message, found)
        case (
            api.UpdatePinnedMessages()
            | api.UpdateReadHistoryInbox()
            | api.UpdateReadHistoryOutbox()
            | api.Dialog()
        ):
            _collect(value.peer, found)
        case _:
            pass
