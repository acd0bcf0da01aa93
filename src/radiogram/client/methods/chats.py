"""Layer 4, client: groups and channels: making them, who is in them, and what they may do.

Knows which method of the API is right for which kind of chat. Must not know peers or updates.

Wherever a chat or a user is wanted, anything that names one will do, friendly objects too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from radiogram import errors
from radiogram.client import names
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.chat import Chat
    from radiogram.client.objects.message import Message
    from radiogram.client.objects.participant import Participant
    from radiogram.client.objects.user import User

PAGE = 200
"""Participants that are asked for at a time: the most that Telegram gives."""


async def create_group(
    client: TelegramClient,
    title: str,
    users: api.UserLike | Iterable[api.UserLike] = (),
    *,
    ttl: int | None = None,
) -> Chat:
    """Make a basic group with some users.

    Those whose privacy forbids it are left out: they are `missing` of what is given. `ttl` is after
    how many seconds messages delete themselves.
    """
    from radiogram.client.objects.chat import Chat
    from radiogram.client.objects.results import only_chat

    result = await client.invoke(
        api.messages.CreateChat(users=_list(users), title=title, ttl_period=ttl)
    )
    chat = only_chat(client, result.updates)
    return Chat(client, chat.raw, missing=_missing(client, [result]))


async def create_channel(
    client: TelegramClient,
    title: str,
    *,
    about: str = "",
    broadcast: bool = False,
    forum: bool = False,
) -> Chat:
    """Make a supergroup; with `broadcast` a channel, with `forum` a supergroup with topics."""
    from radiogram.client.objects.results import only_chat

    result = await client.invoke(
        api.channels.CreateChannel(
            title=title, about=about, broadcast=broadcast, megagroup=not broadcast, forum=forum
        )
    )
    return only_chat(client, result)


async def invite(client: TelegramClient, chat: api.PeerLike, *users: api.UserLike) -> list[User]:
    """Add users to a group or channel; gives those whose privacy forbids it."""
    peer = await _group(client, chat)
    results: list[api.messages.TypeInvitedUsers] = []
    if isinstance(peer, api.InputPeerChat):
        for user in users:
            add = api.messages.AddChatUser(chat_id=peer.chat_id, user_id=user, fwd_limit=100)
            results.append(await client.invoke(add))
    else:
        call = api.channels.InviteToChannel(channel=peer, users=list(users))
        results.append(await client.invoke(call))
    return _missing(client, results)


def _missing(client: TelegramClient, results: list[api.messages.TypeInvitedUsers]) -> list[User]:
    """Tell who could not be added."""
    from radiogram.client.objects.base import Company
    from radiogram.client.objects.results import known_peer

    missing: list[Any] = [
        known_peer(client, Company.of(result.updates).peers.get(one.user_id), one.user_id)
        for result in results
        for one in result.missing_invitees
    ]
    return missing


async def join(client: TelegramClient, chat: api.PeerLike) -> Chat:
    """Join a public group or channel, or one to which there is an invitation link.

    Raises InviteRequestSent where admins decide about it, UserAlreadyParticipant and others.
    """
    from radiogram.client.objects.results import only_chat

    invitation = names.read_invitation(chat) if isinstance(chat, str) else None
    marked_id = None
    if invitation is not None:
        result = await client.invoke(api.messages.ImportChatInvite(hash=invitation))
    else:
        channel: Any = await client.input_peer(chat)
        marked_id = await client.marked_id(channel)
        result = await client.invoke(api.channels.JoinChannel(channel=channel))
    if isinstance(result, api.messages.ChatInviteJoinResultOk):
        return only_chat(client, result.updates, marked_id)
    raise errors.ClientError(f"joining is not finished: the server answered with {result.TL_NAME}")


async def leave(client: TelegramClient, chat: api.PeerLike) -> None:
    """Leave a group or channel."""
    peer: Any = await _group(client, chat)
    if isinstance(peer, api.InputPeerChat):
        myself = api.InputUserSelf()
        await client.invoke(api.messages.DeleteChatUser(chat_id=peer.chat_id, user_id=myself))
    else:
        await client.invoke(api.channels.LeaveChannel(channel=peer))


# ── who may do what ──────────────────────────────────────────────────────────────────────────────


async def set_admin(
    client: TelegramClient,
    chat: api.PeerLike,
    user: api.UserLike,
    rights: api.TypeChatAdminRights | bool = True,
    *,
    rank: str = "",
) -> None:
    """Make somebody an admin, or with ``False`` an ordinary member again.

    ``True`` gives the usual rights: everything that this account may do there, but for naming
    admins and being anonymous. `rank` is shown beside the name. In basic groups all admins have the
    same rights and no rank.
    """
    peer: Any = await _group(client, chat)
    if isinstance(peer, api.InputPeerChat):
        admin = rights if isinstance(rights, bool) else rights != api.ChatAdminRights()
        request = api.messages.EditChatAdmin(chat_id=peer.chat_id, user_id=user, is_admin=admin)
        await client.invoke(request)
        return
    if rights is True:
        rights = await _usual_rights(client, peer)
    elif rights is False:
        rights = api.ChatAdminRights()
    await client.invoke(
        api.channels.EditAdmin(channel=peer, user_id=user, admin_rights=rights, rank=rank)
    )


async def _usual_rights(client: TelegramClient, peer: Any) -> api.ChatAdminRights:
    """Return what an admin may usually do in a channel; nobody can give what they do not have."""
    found = (await client.invoke(api.channels.GetChannels(id=[peer]))).chats
    raw = found[0] if found else None
    broadcast = isinstance(raw, api.Channel) and raw.broadcast
    usual = dict.fromkeys((*_USUAL, *(_OF_CHANNELS if broadcast else _OF_SUPERGROUPS)), True)
    own = raw.admin_rights if isinstance(raw, api.Channel) and not raw.creator else None
    if own is not None:
        usual = {name: getattr(own, name) for name in usual}
    return api.ChatAdminRights(**usual)


_USUAL = (
    *("change_info", "delete_messages", "ban_users", "invite_users", "manage_call", "other"),
    *("post_stories", "edit_stories", "delete_stories"),
)
_OF_CHANNELS = ("post_messages", "edit_messages")
_OF_SUPERGROUPS = ("pin_messages", "manage_topics")


async def restrict(
    client: TelegramClient,
    chat: api.PeerLike,
    user: api.UserLike,
    forbidden: api.TypeChatBannedRights | None = None,
    *,
    until: datetime | int | None = None,
) -> None:
    """Forbid a member of a supergroup to do some things; by default, to write at all.

    `forbidden` has what is not allowed; one without anything lifts all restrictions. `until` is
    when they end (a datetime, or seconds since 1970; by default never). Basic groups have
    restrictions for everybody only.
    """
    from radiogram.client.objects.base import seconds_of

    rights = forbidden or api.ChatBannedRights(send_messages=True, until_date=0)
    if until is not None:
        rights = replace(rights, until_date=seconds_of(until))
    await client.invoke(
        api.channels.EditBanned(channel=chat, participant=user, banned_rights=rights)
    )


async def kick(client: TelegramClient, chat: api.PeerLike, user: api.UserLike) -> Message | None:
    """Remove somebody from a group or channel, who may come back.

    Gives the service message about it, None where Telegram makes none.
    """
    peer = await _group(client, chat)
    message = await _remove(client, peer, user)
    if not isinstance(peer, api.InputPeerChat):
        await unban(client, peer, user)
    return message


async def ban(
    client: TelegramClient,
    chat: api.PeerLike,
    user: api.UserLike,
    *,
    until: datetime | int | None = None,
) -> Message | None:
    """Remove somebody from a group or channel, who may not come back, or not before `until`.

    A basic group keeps no list of those: there it is the same as :func:`kick`. Gives the service
    message about it, None where Telegram makes none.
    """
    return await _remove(client, await _group(client, chat), user, until)


async def unban(client: TelegramClient, chat: api.PeerLike, user: api.UserLike) -> None:
    """Let somebody come back to a supergroup or channel, and lift all restrictions."""
    rights = api.ChatBannedRights(until_date=0)
    await client.invoke(
        api.channels.EditBanned(channel=chat, participant=user, banned_rights=rights)
    )


async def _remove(
    client: TelegramClient, peer: Any, user: api.UserLike, until: datetime | int | None = None
) -> Message | None:
    from radiogram.client.objects.base import seconds_of
    from radiogram.client.objects.results import service_message

    request: api.messages.DeleteChatUser | api.channels.EditBanned
    if isinstance(peer, api.InputPeerChat):
        request = api.messages.DeleteChatUser(chat_id=peer.chat_id, user_id=user)
    else:
        rights = api.ChatBannedRights(view_messages=True, until_date=seconds_of(until) or 0)
        request = api.channels.EditBanned(channel=peer, participant=user, banned_rights=rights)
    result = await client.invoke(request)
    return service_message(client, result, api.MessageActionChatDeleteUser)


async def iter_participants(
    client: TelegramClient,
    chat: api.PeerLike,
    *,
    limit: int | None = None,
    search: str = "",
    filter: api.TypeChannelParticipantsFilter | None = None,
) -> AsyncIterator[Participant]:
    """List who is in a group or channel; pages are fetched as they are needed.

    `search` is the beginning of a name. `filter` chooses in supergroups and channels, such as
    ``api.ChannelParticipantsAdmins()``; it wins over `search`. Of large ones Telegram shows the
    first 10,000 only, and of channels nothing but to admins.
    """
    peer: Any = await _group(client, chat)
    if isinstance(peer, api.InputPeerChat):
        async for participant in _in_basic_group(client, peer.chat_id, limit, search, filter):
            yield participant
        return
    from radiogram.client.objects.base import Company
    from radiogram.client.objects.participant import Participant

    chosen = filter or (
        # "Recent" would end after 200.
        api.ChannelParticipantsSearch(q=search)
    )
    seen: set[int] = set()
    offset = 0
    while limit is None or len(seen) < limit:
        result = await client.invoke(
            api.channels.GetParticipants(
                channel=peer, filter=chosen, offset=offset, limit=PAGE, hash=0
            )
        )
        if not isinstance(result, api.channels.ChannelParticipants) or not result.participants:
            return
        company = Company.of(result)
        for raw in result.participants:
            participant = Participant(client, raw, company)
            if participant.id in seen:
                continue
            seen.add(participant.id)
            yield participant
            if limit is not None and len(seen) >= limit:
                return
        offset += len(result.participants)
        if offset >= result.count:
            return


async def _in_basic_group(
    client: TelegramClient,
    chat_id: int,
    limit: int | None,
    search: str,
    filter: api.TypeChannelParticipantsFilter | None,
) -> AsyncIterator[Participant]:
    """List a basic group, which comes whole; what the server would choose is chosen here."""
    from radiogram.client.objects.base import Company
    from radiogram.client.objects.participant import Participant

    if filter is not None and not isinstance(filter, api.ChannelParticipantsAdmins):
        raise errors.ClientError(
            f"{filter.TL_NAME} works in supergroups and channels; a basic group's members can only "
            "be chosen by search= or api.ChannelParticipantsAdmins()"
        )
    result = await client.invoke(api.messages.GetFullChat(chat_id=chat_id))
    company = Company.of(result)
    participants: Any = getattr(result.full_chat, "participants", None)
    left = limit
    for raw in getattr(participants, "participants", ()):
        participant = Participant(client, raw, company)
        if filter is not None and not participant.is_admin:
            continue
        if search and not _is_called(participant.user, search):
            continue
        if left is not None:
            if left <= 0:
                return
            left -= 1
        yield participant


def _is_called(user: User | Chat | None, search: str) -> bool:
    if user is None:
        return False
    names = (*user.name.split(), user.username or "")
    return any(name.casefold().startswith(search.casefold()) for name in (user.name, *names))


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────


async def _group(client: TelegramClient, chat: api.PeerLike) -> Any:
    """Give the InputPeer of a group or channel. Raises PeerNotFound for a user."""
    peer = await client.input_peer(chat)
    if isinstance(peer, api.InputPeerChat | api.InputPeerChannel | api.InputPeerChannelFromMessage):
        return peer
    raise errors.PeerNotFound(f"{chat!r} is a private chat, but a group or channel is wanted here")


def _list(users: Any) -> list[Any]:
    """Take one user for a list of one."""
    if isinstance(users, str) or not isinstance(users, Iterable):
        return [users]
    return list(users)
