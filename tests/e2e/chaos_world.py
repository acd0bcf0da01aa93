"""The accounts and rooms of the chaos run, what the server did in it, and what everybody must know.

Everything here is done and asked in the server itself, so it is the same whichever library plays
the clients, and no client vouches for itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from radiogram import api
from radiogram.server import Server
from radiogram.server.world import World

from .chaos_keys import key_of

ADMINS = 3
"""People who may post in the channel."""


def phone_of(number: int) -> str:
    return f"999662{number:04}"


@dataclass(frozen=True)
class Room:
    """A chat: private, group, supergroup or channel."""

    kind: str
    id: int
    """Bare id; 0 for private chats."""
    writers: tuple[int, ...]
    """Numbers of the people who may write and pin."""
    members: tuple[int, ...]
    hashes: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By number: the id and the access hash with which that account names it."""


@dataclass(frozen=True)
class Sent:
    """A message that its sender was told to be sent."""

    room: Room
    sender: int
    text: str
    id: int


class Executions:
    """Watches a server over all its restarts: what was executed, and how often."""

    def __init__(self) -> None:
        self.packets = 0
        self.sends: Counter[int] = Counter()
        """Executed sends, by their random id."""
        self.pins: Counter[tuple[int, str, int]] = Counter()
        """Pins that did something, by account, room and message."""
        self.faults: Counter[str] = Counter()
        self._server: Server | None = None

    @property
    def twice(self) -> int:
        """Calls that took effect more than once."""
        return sum(count > 1 for count in (*self.sends.values(), *self.pins.values()))

    def watch(self, server: Server) -> None:
        """Count at this server from now on."""
        self.count_faults()
        self._server = server
        server.world.observer = self
        chance = server.faults.of_packet

        def of_packet(*arguments: Any, **options: Any) -> Any:
            self.packets += 1
            return chance(*arguments, **options)

        server.faults.of_packet = of_packet  # type: ignore[method-assign]

    def count_faults(self) -> None:
        """Take the faults of the server that was watched last."""
        server, self._server = self._server, None
        if server is not None:
            self.faults.update(
                f"push {one.detail}" if one.kind == "push" else one.kind
                for one in server.faults.injected
            )

    def called(self, caller: Any, request: Any) -> None:
        """Nothing to count yet."""

    def answered(self, caller: Any, request: Any, result: Any) -> None:
        if isinstance(request, api.messages.SendMessage):
            self.sends[request.random_id] += 1
        elif isinstance(request, api.messages.UpdatePinnedMessage) and result.updates:
            where = repr(request.peer)
            self.pins[caller.authorization.user_id, where, request.id] += 1

    def refused(self, caller: Any, fault: Any) -> None:
        """A call that had no effect."""

    def pushed(self, user_id: int, updates: Any) -> None:
        """The handlers count what comes."""


def make_rooms(world: World, ids: Sequence[int]) -> list[Room]:
    """Make the rooms, each with a message in it; everybody is in all but the private chats."""
    everybody = tuple(range(len(ids)))
    rooms = [*_private(world, ids)]
    others = {
        n: [api.InputUser(user_id=u.user_id, access_hash=u.access_hash) for u in users]
        for n, users in _contacts(world, ids).items()
    }
    made = world.call(ids[0], api.messages.CreateChat(users=others[0], title="Group"))
    group = made.updates.chats[0].id
    rooms.append(Room("group", group, everybody, everybody, dict.fromkeys(everybody, (group, 0))))
    for kind, writers in (("supergroup", everybody), ("channel", everybody[:ADMINS])):
        created = world.call(
            ids[0],
            api.channels.CreateChannel(
                title=kind, about="", megagroup=kind == "supergroup", broadcast=kind == "channel"
            ),
        )
        own = created.chats[0]
        channel = api.InputChannel(channel_id=own.id, access_hash=own.access_hash)
        world.call(ids[0], api.channels.InviteToChannel(channel=channel, users=others[0]))
        for number in writers[1:]:
            rights = api.ChatAdminRights(post_messages=True, edit_messages=True, pin_messages=True)
            user = others[0][number - 1]
            world.call(
                ids[0],
                api.channels.EditAdmin(channel=channel, user_id=user, admin_rights=rights, rank=""),
            )
        hashes = {n: _channel_hash(world, user_id, own.id) for n, user_id in enumerate(ids)}
        rooms.append(Room(kind, own.id, writers, everybody, hashes))
    for room in rooms:
        if room.kind != "private":
            peer = input_peer(api, room, 0)
            world.call(
                ids[0],
                api.messages.SendMessage(peer=peer, message="open", random_id=2**40 + room.id),
            )
    return rooms


def close_room(world: World, room: Room, user_id: int) -> None:
    """Write a last message, in the name of the first of its writers."""
    peer = input_peer(api, room, room.writers[0])
    number = room.hashes[room.writers[0]][0] + user_id  # some number that no other room has
    world.call(
        user_id,
        api.messages.SendMessage(peer=peer, message="closed", random_id=2**41 + number),
    )


def _contacts(world: World, ids: Sequence[int]) -> dict[int, list[api.InputPeerUser]]:
    """Return how the first account names all others, in order."""
    return {0: [_contact(world, ids, 0, number) for number in range(1, len(ids))]}


def _contact(world: World, ids: Sequence[int], number: int, other: int) -> api.InputPeerUser:
    wanted = api.InputPhoneContact(
        client_id=1, phone=phone_of(other), first_name=f"P{other}", last_name=""
    )
    found = world.call(ids[number], api.contacts.ImportContacts(contacts=[wanted]))
    (user,) = found.users
    return api.InputPeerUser(user_id=user.id, access_hash=user.access_hash)


def _private(world: World, ids: Sequence[int]) -> Iterator[Room]:
    """Yield the chats of everybody with the next one."""
    for number in range(len(ids) if len(ids) > 2 else 1):
        other = (number + 1) % len(ids)
        hashes = {}
        for me, partner in ((number, other), (other, number)):
            user = _contact(world, ids, me, partner)
            hashes[me] = user.user_id, user.access_hash
        yield Room("private", 0, (number, other), (number, other), hashes)


def _channel_hash(world: World, user_id: int, channel_id: int) -> tuple[int, int]:
    dialogs = world.call(
        user_id,
        api.messages.GetDialogs(
            offset_date=0, offset_id=0, offset_peer=api.InputPeerEmpty(), limit=100, hash=0
        ),
    )
    (channel,) = [chat for chat in dialogs.chats if chat.id == channel_id]
    return channel_id, channel.access_hash


def input_peer(types: Any, room: Room, number: int) -> Any:
    """Return how an account names a room, in the types of some library."""
    number, access_hash = room.hashes[number]
    if room.kind == "private":
        return types.InputPeerUser(user_id=number, access_hash=access_hash)
    if room.kind == "group":
        return types.InputPeerChat(chat_id=number)
    return types.InputPeerChannel(channel_id=number, access_hash=access_hash)


def choose(rooms: Sequence[Room], random: Random) -> Room:
    """Choose a kind of room, then one of that kind."""
    kind = random.choice(("private", "group", "supergroup", "channel"))
    return random.choice([room for room in rooms if room.kind == kind])


@dataclass(frozen=True)
class Start:
    """Where an account's lines stood when the chaos began."""

    pts: int
    channels: dict[int, int]


@dataclass
class Truth:
    """What happened to an account since then."""

    keys: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    """Those keys whose messages somebody else sent, or which are no messages."""
    texts: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Channel (0: the account's own box) and text of every message."""

    def add(self, line: int, messages: Any, updates: Any) -> None:
        for message in messages:
            name = "UpdateNewChannelMessage" if line else "UpdateNewMessage"
            key = key_of(getattr(api, name)(message=message, pts=0, pts_count=0))
            assert key is not None
            self.keys.add(key)
            if not message.out:
                self.foreign.add(key)
            if isinstance(message, api.Message):
                if message.message.startswith("text "):
                    self.texts[line, message.message] += 1
        found = {key for update in updates if (key := key_of(update)) is not None}
        self.keys |= found
        self.foreign |= found


def start_of(world: World, user_id: int, rooms: Sequence[Room]) -> Start:
    state = world.call(user_id, api.updates.GetState())
    return Start(state.pts, {room.id: _pts(world, user_id, room) for room in _channels(rooms)})


def _channels(rooms: Sequence[Room]) -> list[Room]:
    return [room for room in rooms if room.kind in ("supergroup", "channel")]


def _pts(world: World, user_id: int, room: Room) -> int:
    channel_id, access_hash = next(iter(room.hashes.values()))
    del access_hash
    dialogs = world.call(
        user_id,
        api.messages.GetDialogs(
            offset_date=0, offset_id=0, offset_peer=api.InputPeerEmpty(), limit=100, hash=0
        ),
    )
    (found,) = [
        dialog.pts
        for dialog in dialogs.dialogs
        if getattr(dialog.peer, "channel_id", None) == channel_id
    ]
    return int(found)


def truth_of(world: World, number: int, user_id: int, start: Start, rooms: Sequence[Room]) -> Truth:
    """Ask the server, in the account's name, for everything since the start."""
    truth = Truth()
    pts = start.pts
    while True:
        part = world.call(user_id, api.updates.GetDifference(pts=pts, date=2**31 - 1, qts=0))
        if isinstance(part, api.updates.DifferenceEmpty):
            break
        assert isinstance(part, api.updates.Difference | api.updates.DifferenceSlice)
        truth.add(0, part.new_messages, part.other_updates)
        if isinstance(part, api.updates.Difference):
            break
        pts = part.intermediate_state.pts
    for room in _channels(rooms):
        channel_id, access_hash = room.hashes[number]
        pts, final = start.channels[room.id], False
        while not final:
            news = world.call(
                user_id,
                api.updates.GetChannelDifference(
                    channel=api.InputChannel(channel_id=channel_id, access_hash=access_hash),
                    filter=api.ChannelMessagesFilterEmpty(),
                    pts=pts,
                    limit=100,
                ),
            )
            if not isinstance(news, api.updates.ChannelDifference):
                assert isinstance(news, api.updates.ChannelDifferenceEmpty), news
                break
            truth.add(room.id, news.new_messages, news.other_updates)
            pts, final = news.pts, news.final
    return truth
