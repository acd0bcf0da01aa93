"""Server layer: which account or chat an InputPeer, InputUser or InputChannel of a caller names.

Knows access hashes (C0.1.1), who may see a chat at all (C0.1.3), and which error says that a
name is wrong. Knows nothing of what the caller then wants to do with the peer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from radiogram.server import chat_store, message_store, render, user_store
from radiogram.server.chat_store import ChatRow
from radiogram.server.mentions import Mentions
from radiogram.server.rights import Standing
from radiogram.server.rows import DialogRow, Peer, Side, UserRow
from radiogram.server.rpc import RpcFault
from radiogram.server.tables import PEER_CHANNEL, PEER_CHAT, PEER_USER
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context


class Private(NamedTuple):
    """A private chat, or Saved Messages, as the caller named it."""

    peer: Peer
    me: Side
    """The caller, and what it holds about the other."""
    other: Side
    """The other account; the same object as `me` in Saved Messages."""
    people: render.People

    @property
    def user(self) -> UserRow:
        """The caller."""
        return self.me.user

    @property
    def box_id(self) -> int:
        """The box in which the caller finds the messages of this peer."""
        return self.me.user.id

    @property
    def dialog(self) -> DialogRow | None:
        """The caller's entry in its list of chats."""
        return self.me.dialog

    @property
    def is_self(self) -> bool:
        """Whether these are the caller's Saved Messages."""
        return self.me is self.other

    @property
    def first_id(self) -> int:
        """The lowest id that the caller may see: any, there is no hidden prehistory here."""
        return 0

    @property
    def mirror(self) -> Peer:
        """The same chat as the other account knows it."""
        return Peer(PEER_USER, self.me.user.id)


class Room(NamedTuple):
    """A basic group, supergroup or channel, as the caller named it."""

    peer: Peer
    user: UserRow
    """The caller."""
    standing: Standing
    """What the caller is there."""
    dialog: DialogRow | None
    """The caller's entry in its list of chats."""
    people: render.People

    @property
    def chat(self) -> ChatRow:
        return self.standing.chat

    @property
    def box_id(self) -> int:
        """The box in which the caller finds the messages of this peer."""
        return self.user.id if self.chat.is_group else self.chat.box_id

    @property
    def first_id(self) -> int:
        """The lowest id that the caller may see: what was before is hidden prehistory."""
        member = self.standing.member
        return member.available_min_id if member is not None and member.is_present else 0


Target = Private | Room


def resolve(ctx: Context, peer: api.TypeInputPeer) -> Target:
    """Return the chat that an InputPeer names.

    A basic group is returned also to somebody who has left it, and after it was migrated.
    Faults: PEER_ID_INVALID, MSG_ID_INVALID (of ``...FromMessage``), CHANNEL_INVALID,
    CHANNEL_PRIVATE.
    """
    match peer:
        case api.InputPeerSelf():
            return _private(ctx, ctx.user_id, None)
        case api.InputPeerUser():
            return _private(ctx, peer.user_id, peer.access_hash)
        case api.InputPeerUserFromMessage():
            _check_mention(ctx, peer.peer, peer.msg_id, "PEER_ID_INVALID", user_id=peer.user_id)
            return _private(ctx, peer.user_id, None)
        case api.InputPeerChat():
            return resolve_group(ctx, peer.chat_id)
        case api.InputPeerChannel():
            return _channel(ctx, peer.channel_id, peer.access_hash)
        case api.InputPeerChannelFromMessage():
            channel_id = peer.channel_id
            _check_mention(ctx, peer.peer, peer.msg_id, "CHANNEL_INVALID", channel_id=channel_id)
            return _channel(ctx, channel_id, None)
        case _:
            raise RpcFault(400, "PEER_ID_INVALID")


def resolve_group(ctx: Context, chat_id: int, fault: str = "PEER_ID_INVALID") -> Room:
    """Return a basic group in which the caller is or was; `fault` if there is none."""
    room = _room(ctx, chat_id, PEER_CHAT)
    if room is None or room.chat.is_channel or room.standing.member is None:
        raise RpcFault(400, fault)
    return room


def resolve_channel(ctx: Context, channel: api.TypeInputChannel) -> Room:
    """Return the supergroup or channel that an InputChannel names, if the caller may see it.

    Faults: CHANNEL_INVALID, CHANNEL_PRIVATE, MSG_ID_INVALID.
    """
    match channel:
        case api.InputChannel():
            return _channel(ctx, channel.channel_id, channel.access_hash)
        case api.InputChannelFromMessage():
            channel_id = channel.channel_id
            _check_mention(
                ctx, channel.peer, channel.msg_id, "CHANNEL_INVALID", channel_id=channel_id
            )
            return _channel(ctx, channel_id, None)
        case _:
            raise RpcFault(400, "CHANNEL_INVALID")


def room_of(ctx: Context, chat_id: int) -> Room:
    """Return a chat that is known to exist, whatever the caller may see of it."""
    chat = chat_store.find_chat(ctx.tx, chat_id)
    assert chat is not None
    room = _room(ctx, chat_id, chat.peer.type)
    assert room is not None
    return room


def resolve_user(ctx: Context, user: api.TypeInputUser) -> UserRow:
    """Return the account that an InputUser names. Faults: USER_ID_INVALID, MSG_ID_INVALID."""
    user_id: int
    match user:
        case api.InputUserSelf():
            user_id = ctx.user_id
        case api.InputUser():
            user_id = user.user_id
        case api.InputUserFromMessage():
            user_id = user.user_id
            _check_mention(ctx, user.peer, user.msg_id, "USER_ID_INVALID", user_id=user_id)
        case _:
            raise RpcFault(400, "USER_ID_INVALID")
    rows = user_store.load_users(ctx.tx, {ctx.user_id, user_id})
    target = rows.get(user_id)
    if target is None:
        raise RpcFault(400, "USER_ID_INVALID")
    if isinstance(user, api.InputUser):
        expected = render.access_hash(rows[ctx.user_id].access_secret, user_id)
        if user.access_hash != expected:
            raise RpcFault(400, "USER_ID_INVALID")
    return target


def _private(ctx: Context, user_id: int, given_hash: int | None) -> Private:
    sides = user_store.load_sides(ctx.tx, ctx.user_id, user_id)
    me = sides[ctx.user_id]
    other = sides.get(user_id)
    if other is None:
        raise RpcFault(400, "PEER_ID_INVALID")
    expected = render.access_hash(me.user.access_secret, user_id)
    if given_hash is not None and given_hash != expected:
        raise RpcFault(400, "PEER_ID_INVALID")
    if me is other and me.user.is_bot:  # bots have no Saved Messages (B2)
        raise RpcFault(400, "PEER_ID_INVALID")
    people = render.People(ctx.tx, ctx.now, {me.user.id: me, user_id: other}.values())
    return Private(Peer(PEER_USER, user_id), me, other, people)


def _room(ctx: Context, chat_id: int, peer_type: int) -> Room | None:
    found = chat_store.find_chat_of(ctx.tx, chat_id, ctx.user_id, peer_type)
    if found is None:
        return None
    chat, member, dialog = found
    people = render.People(ctx.tx, ctx.now)
    user = people.rows([ctx.user_id])[ctx.user_id]
    people.keep_chat(chat, () if member is None else (member,))
    standing = Standing(chat, member, user.is_bot, ctx.now)
    return Room(chat.peer, user, standing, dialog, people)


def _channel(ctx: Context, channel_id: int, given_hash: int | None) -> Room:
    room = _room(ctx, channel_id, PEER_CHANNEL)
    if room is None or room.chat.is_group:
        raise RpcFault(400, "CHANNEL_INVALID")
    if given_hash is not None:
        expected = render.channel_hash(room.user.access_secret, channel_id)
        # Bots may leave out the hash of a channel that they are in.
        known = given_hash == 0 and room.user.is_bot and room.standing.is_present
        if given_hash != expected and not known:
            raise RpcFault(400, "CHANNEL_INVALID")
    unseen = not room.standing.is_present and room.chat.username is None
    if room.chat.deleted or unseen or room.standing.is_kicked:
        raise RpcFault(400, "CHANNEL_PRIVATE")
    return room


def _check_mention(
    ctx: Context,
    peer: api.TypeInputPeer,
    message_id: int,
    error: str,
    *,
    user_id: int = 0,
    channel_id: int = 0,
) -> None:
    """Check that a message which the caller can see really mentions an account or channel."""
    if isinstance(peer, api.InputPeerUserFromMessage | api.InputPeerChannelFromMessage):
        raise RpcFault(400, error)  # they do not nest
    target = resolve(ctx, peer)
    row = message_store.find_message(ctx.tx, target.box_id, message_id)
    if row is None or row.peer != target.peer or row.id < target.first_id:
        raise RpcFault(400, "MSG_ID_INVALID")
    found = Mentions(render.message(row, ctx.user_id))
    if (user_id and user_id not in found.users) or (channel_id and channel_id not in found.chats):
        raise RpcFault(400, error)
