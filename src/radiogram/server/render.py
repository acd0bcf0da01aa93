"""Server layer: from rows to TL objects, as one account sees them.

Knows the rows and the newest layer. Writes nothing, and knows nothing of who may see what
beyond the fields of the objects themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, TypedDict, cast

from radiogram.server import chat_store, rights, user_store
from radiogram.server.chat_store import ChatRow, MemberRow
from radiogram.server.mentions import Mentions
from radiogram.server.rows import ContactRow, DialogRow, MessageRow, Peer, Side, UserRow
from radiogram.server.tables import PEER_CHANNEL, PEER_CHAT, PEER_USER
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


def channel_hash(secret: bytes, channel_id: int) -> int:
    """Return the access hash that the account with this secret has for a channel (C0.1.1)."""
    return access_hash(secret, -channel_id)  # users and channels have ids in common


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


def chat(viewer: UserRow, target: ChatRow, member: MemberRow | None, now: int) -> api.TypeChat:
    """Return a basic group, supergroup or channel as an account sees it."""
    standing = rights.Standing(target, member, viewer.is_bot, now)
    admin = rights.admin_rights(standing.admin_mask) if standing.is_admin else None
    default = None if target.is_broadcast else rights.banned_rights(target.default_banned)
    if target.is_group:
        if member is None or member.state == chat_store.KICKED:
            return api.ChatForbidden(id=target.id, title=target.title)
        if standing.is_admin and not standing.is_creator:
            admin = rights.admin_rights(rights.GROUP_ADMIN)
        moved = None
        if target.migrated_to is not None:
            moved = api.InputChannel(
                channel_id=target.migrated_to,
                access_hash=channel_hash(viewer.access_secret, target.migrated_to),
            )
        return api.Chat(
            id=target.id,
            title=target.title,
            photo=api.ChatPhotoEmpty(),
            creator=standing.is_creator,
            left=not standing.is_present,
            deactivated=target.deleted,
            noforwards=target.noforwards,
            participants_count=target.participants_count,
            date=target.date,
            version=target.version,
            migrated_to=moved,
            admin_rights=admin,
            default_banned_rights=default,
        )
    secret = channel_hash(viewer.access_secret, target.id)
    hidden = not standing.is_present and target.username is None
    if target.deleted or hidden or standing.is_kicked:
        until = member.until_date if member is not None and standing.is_kicked else 0
        return api.ChannelForbidden(
            id=target.id,
            access_hash=secret,
            title=target.title,
            broadcast=target.is_broadcast,
            megagroup=not target.is_broadcast,
            until_date=until or None,
        )
    own = standing.banned_mask
    return api.Channel(
        id=target.id,
        access_hash=secret,
        title=target.title,
        username=target.username,
        photo=api.ChatPhotoEmpty(),
        date=target.date if member is None else member.date,
        creator=standing.is_creator,
        left=not standing.is_present,
        broadcast=target.is_broadcast,
        megagroup=not target.is_broadcast,
        gigagroup=target.gigagroup,
        forum=target.forum,
        forum_tabs=target.forum_tabs,
        signatures=target.signatures,
        signature_profiles=target.signature_profiles,
        slowmode_enabled=target.slowmode_seconds > 0,
        noforwards=target.noforwards,
        join_to_send=target.join_to_send,
        join_request=target.join_request,
        participants_count=target.participants_count,
        admin_rights=admin,
        banned_rights=(
            rights.banned_rights(own, member.until_date) if own and member is not None else None
        ),
        default_banned_rights=default,
    )


class People:
    """The accounts and chats that one request has to show, read once."""

    def __init__(self, tx: Connection, now: int, sides: Iterable[Side] = ()) -> None:
        self._tx = tx
        self._now = now
        self._rows: dict[int, UserRow] = {}
        self._contacts: dict[tuple[int, int], ContactRow] = {}
        self._pairs: set[tuple[int, int]] = set()
        self._chats: dict[int, ChatRow] = {}
        self._members: dict[tuple[int, int], MemberRow | None] = {}
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
            self._rows.update(user_store.load_users(self._tx, missing))
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
            for entry in user_store.load_contacts(self._tx, viewer_id, new):
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

    def keep_chat(self, row: ChatRow, members: Iterable[MemberRow] = ()) -> None:
        """Take a chat and members of it as they are by now, instead of what was read before."""
        self._chats[row.id] = row
        for member in members:
            self._members[row.id, member.user_id] = member

    def prepare_chat(self, chat_id: int, viewers: Iterable[int]) -> None:
        """Read at once what some accounts, who will be shown a chat, are in it."""
        missing = [one for one in viewers if (chat_id, one) not in self._members]
        if not missing:
            return
        found = chat_store.load_members(self._tx, chat_id, missing)
        for one in missing:
            self._members[chat_id, one] = found.get(one)

    def first_id(self, chat_id: int, viewer_id: int) -> int:
        """Return the lowest id of a prepared chat that one of its members may see."""
        member = self._members.get((chat_id, viewer_id))
        return member.available_min_id if member is not None and member.is_present else 0

    def prepare(self, found: Mapping[int, Mentions]) -> None:
        """Read at once what is needed to show several viewers what each of them is told of."""
        users: set[int] = set().union(*(said.users for said in found.values()))
        for chat_id in set().union(*(said.chats for said in found.values())):
            self.prepare_chat(chat_id, found)
        pairs = {(viewer, number) for viewer in found for number in (viewer, *users)}
        if pairs <= self._pairs:
            return
        self.rows([*found, *users])
        for entry in user_store.load_all_contacts(self._tx, found, users):
            self._contacts[entry.owner_id, entry.user_id] = entry
        self._pairs |= pairs
        self._pairs.update((number, viewer) for viewer, number in pairs)

    def chats_seen_by(self, viewer_id: int, ids: Iterable[int]) -> list[api.TypeChat]:
        """Return chat objects for one viewer, in the order of their ids."""
        wanted = sorted(set(ids))
        if not wanted:
            return []
        unread = [number for number in wanted if number not in self._chats]
        if unread:
            self._chats.update(chat_store.load_chats(self._tx, unread))
        new = [number for number in wanted if (number, viewer_id) not in self._members]
        if new:
            found = {
                row.chat_id: row for row in chat_store.load_memberships(self._tx, viewer_id, new)
            }
            for number in new:
                self._members[number, viewer_id] = found.get(number)
        viewer = self.rows([viewer_id])[viewer_id]
        return [
            chat(viewer, self._chats[number], self._members[number, viewer_id], self._now)
            for number in wanted
            if number in self._chats
        ]

    def mentioned(
        self, viewer_id: int, *values: object, users: Iterable[int] = (), chats: Iterable[int] = ()
    ) -> Shown:
        """Return everybody whom values mention, and those given by id, for one viewer.

        `values` are TL objects and lists of them. Use it as ``**people.mentioned(...)``: it has
        the keys `users` and `chats`.
        """
        found = Mentions(*values)
        found.users.update(users)
        found.chats.update(chats)
        return Shown(
            users=self.seen_by(viewer_id, found.users),
            chats=self.chats_seen_by(viewer_id, found.chats),
        )


class Shown(TypedDict):
    """The two lists that most results end with."""

    users: list[api.TypeUser]
    chats: list[api.TypeChat]


# ------------------------------------------------------------------ messages


def message(row: MessageRow, viewer_id: int) -> api.Message | api.MessageService:
    """Return a copy of a message as the owner of its box, or a member of the channel, sees it."""
    reply_to = reply_header(row)
    fwd_from = cast(api.MessageFwdHeader, decode(row.fwd_from)) if row.fwd_from else None
    saved = saved_peer(row, fwd_from)
    out = row.out or (row.box_id < 0 and row.sender_id == viewer_id)
    if row.action is not None:
        return api.MessageService(
            id=row.id,
            out=out,
            silent=row.silent,
            mentioned=row.mentions_all and not out,
            post=row.post,
            from_id=author(row),
            peer_id=peer(row.peer),
            saved_peer_id=saved,
            reply_to=reply_to,
            date=row.date,
            action=cast(api.TypeMessageAction, decode(row.action)),
        )
    return api.Message(
        id=row.id,
        out=out,
        silent=row.silent,
        post=row.post,
        pinned=row.pinned,
        noforwards=row.noforwards,
        edit_hide=row.edit_hide,
        from_id=author(row),
        peer_id=peer(row.peer),
        saved_peer_id=saved,
        fwd_from=fwd_from,
        reply_to=reply_to,
        date=row.date,
        message=row.text,
        entities=decode_entities(row.entities) or None,
        edit_date=row.edit_date,
        post_author=row.post_author,
        views=(row.views or 1) if row.post else None,
        forwards=(row.forwards or 0) if row.post else None,
        reply_markup=(
            cast(api.TypeReplyMarkup, decode(row.reply_markup)) if row.reply_markup else None
        ),
    )


def author(row: MessageRow) -> api.TypePeer | None:
    """Return who a message says that it is from: nobody, if a channel posts it."""
    if row.from_chat_id is not None:
        return None if row.post else api.PeerChannel(channel_id=row.from_chat_id)
    return api.PeerUser(user_id=row.sender_id)


def reply_header(row: MessageRow) -> api.MessageReplyHeader | None:
    """Return what a message replies to, and the topic of a forum that it is in."""
    topic_id = None if row.topic_id == row.id else row.topic_id  # what opens a topic is no reply
    if row.reply is None and row.reply_to_id is None and topic_id is None:
        return None
    header = api.MessageReplyHeader()
    if row.reply is not None:
        header = cast(api.MessageReplyHeader, decode(row.reply))
    if row.reply_to_id is not None:
        header.reply_to_msg_id = row.reply_to_id
    if topic_id is not None:
        header.forum_topic = True
        if header.reply_to_msg_id is None:
            header.reply_to_msg_id = topic_id
        elif header.reply_to_msg_id != topic_id or header.reply_to_peer_id is not None:
            header.reply_to_top_id = topic_id
    return header


def saved_peer(row: MessageRow, fwd_from: api.MessageFwdHeader | None) -> api.TypePeer | None:
    """Return the chat within Saved Messages to which a message there belongs."""
    if row.peer != (PEER_USER, row.box_id):
        return None
    if fwd_from is not None and fwd_from.saved_from_peer is not None:
        return fwd_from.saved_from_peer
    return api.PeerUser(user_id=row.box_id)


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
