"""Accounts on a server in memory, called in process: what the tests of boxes play with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from radiogram.server import dialog_store, render, tables, user_store
from radiogram.server.authorizations import Authorization
from radiogram.server.db import open_database
from radiogram.server.rows import Peer
from radiogram.server.rpc import Caller, RpcFault
from radiogram.server.settings import Settings
from radiogram.server.tables import PEER_USER, blocked, dialogs, users
from radiogram.server.world import World
from radiogram.tl import api

NOON = 1_700_000_000
"""Where the clock of a stage stands."""


class Listener(Caller):
    """A session that does nothing but be there: who has one is online."""

    def __init__(self, world: World, user_id: int, *, is_bot: bool) -> None:
        super().__init__(Authorization(user_id=user_id, is_bot=is_bot))
        world.authorizations.attach(self, self.authorization)


class Stage:
    """Three users and two bots who know how to name each other."""

    def __init__(self, **settings: Any) -> None:
        self.world = World(db=open_database(), dc_id=2, settings=Settings(**settings), seed=1)
        self.world.clock.freeze(NOON)
        self.ann = self.world.add_user("9996621111", "Ann", username="annie").id
        self.bob = self.world.add_user("9996622222", "Bob").id
        self.eve = self.world.add_user("9996623333", "Eve").id
        self.bot = self.world.add_bot("Botty", "botty_bot").id
        self.bot2 = self.world.add_bot("Second", "second_bot").id
        self.everybody = (self.ann, self.bob, self.eve, self.bot, self.bot2)
        self._listeners = {
            number: Listener(self.world, number, is_bot=number in (self.bot, self.bot2))
            for number in self.everybody
        }
        self._random_ids = count(1)
        self.chats: dict[int, api.TypeChat] = {}

    def close(self) -> None:
        self.world.db.close()

    def go_offline(self, who: int) -> None:
        """End the only session of an account."""
        listener = self._listeners.pop(who)
        self.world.authorizations.detach(listener, listener.authorization)

    # -------------------------------------------------------------- names

    def input_peer(self, viewer: int, target: int) -> api.TypeInputPeer:
        if viewer == target:
            return api.InputPeerSelf()
        if isinstance(self.chats.get(target), api.Chat):
            return api.InputPeerChat(chat_id=target)
        if target in self.chats:
            return api.InputPeerChannel(
                channel_id=target, access_hash=self.channel_hash(viewer, target)
            )
        return api.InputPeerUser(user_id=target, access_hash=self.hash_of(viewer, target))

    def input_user(self, viewer: int, target: int) -> api.TypeInputUser:
        return api.InputUser(user_id=target, access_hash=self.hash_of(viewer, target))

    def hash_of(self, viewer: int, target: int) -> int:
        with self.world.db.begin() as tx:
            return render.access_hash(
                user_store.load_users(tx, [viewer])[viewer].access_secret, target
            )

    def channel_hash(self, viewer: int, channel: int) -> int:
        with self.world.db.begin() as tx:
            secret = user_store.load_users(tx, [viewer])[viewer].access_secret
        return render.channel_hash(secret, channel)

    def input_channel(self, viewer: int, channel: int) -> api.TypeInputChannel:
        return api.InputChannel(channel_id=channel, access_hash=self.channel_hash(viewer, channel))

    def random_id(self) -> int:
        return next(self._random_ids)

    # -------------------------------------------------------------- calls

    def call(self, who: int, request: Any) -> Any:
        """Execute a request; :meth:`pushes` then tells what it pushed."""
        self.world.pushed.clear()
        return self.world.call(who, request)

    def pushes(self, who: int) -> list[Any]:
        """Return the single updates that the last call pushed to an account."""
        found: list[Any] = []
        for push in self.world.pushed:
            if push.user_id == who:
                assert isinstance(push.updates, api.Updates)
                found.extend(push.updates.updates)
        return found

    def pushed_to(self) -> set[int]:
        return {push.user_id for push in self.world.pushed}

    # -------------------------------------------------------------- chats

    def group(self, owner: int, *others: int, title: str = "Group") -> int:
        """Make a basic group and return its id."""
        users = [self.input_user(owner, number) for number in others]
        result = self.call(owner, api.messages.CreateChat(users=users, title=title))
        (chat,) = result.updates.chats
        self.chats[chat.id] = chat
        return int(chat.id)

    def channel(self, owner: int, *others: int, title: str = "Channel", **options: bool) -> int:
        """Make a channel (``megagroup=True``: a supergroup), let others in, return its id."""
        request = api.channels.CreateChannel(title=title, about="", **options)
        (chat,) = self.call(owner, request).chats
        self.chats[chat.id] = chat
        bots = [number for number in others if number in (self.bot, self.bot2)]
        if options.get("megagroup") or options.get("forum"):
            bots = []
        users = [number for number in others if number not in bots]
        if users:
            self.invite(owner, chat.id, *users)
        for number in bots:  # in a broadcast channel they can be nothing but admins
            self.promote(owner, chat.id, number, other=True)
        return int(chat.id)

    def invite(self, who: int, channel: int, *others: int) -> Any:
        return self.call(
            who,
            api.channels.InviteToChannel(
                channel=self.input_channel(who, channel),
                users=[self.input_user(who, number) for number in others],
            ),
        )

    def join(self, who: int, channel: int) -> Any:
        return self.call(
            who, api.channels.JoinChannel(channel=self.input_channel(who, channel))
        ).updates

    def leave(self, who: int, channel: int) -> Any:
        return self.call(who, api.channels.LeaveChannel(channel=self.input_channel(who, channel)))

    def promote(
        self, who: int, channel: int, target: int, *, rank: str | None = None, **rights: bool
    ) -> Any:
        """Give somebody exactly these rights of an admin in a channel; none make them a member."""
        return self.call(
            who,
            api.channels.EditAdmin(
                channel=self.input_channel(who, channel),
                user_id=self.input_user(who, target),
                admin_rights=api.ChatAdminRights(**rights),
                rank=rank,
            ),
        )

    def ban(
        self, who: int, channel: int, other: int, *, until_date: int = 0, **rights: bool
    ) -> Any:
        """Forbid somebody exactly these things in a channel; ``view_messages`` throws them out."""
        return self.call(
            who,
            api.channels.EditBanned(
                channel=self.input_channel(who, channel),
                participant=self.input_peer(who, other),
                banned_rights=api.ChatBannedRights(until_date=until_date, **rights),
            ),
        )

    def publish(self, who: int, channel: int, username: str = "roomname") -> None:
        """Make a channel public, or private with an empty name."""
        where = self.input_channel(who, channel)
        assert self.call(who, api.channels.UpdateUsername(channel=where, username=username))

    def send(self, who: int, to: int, message: str = "hello", **options: Any) -> int:
        """Send a text and return its id in the sender's box."""
        options.setdefault("random_id", self.random_id())
        request = api.messages.SendMessage(
            peer=self.input_peer(who, to), message=message, **options
        )
        result = self.call(who, request)
        if isinstance(result, api.UpdateShortSentMessage):
            return result.id
        new = (api.UpdateNewMessage, api.UpdateNewChannelMessage)
        return next(u.message.id for u in result.updates if isinstance(u, new))

    def pin(self, who: int, chat: int, message_id: int, **flags: bool) -> api.Updates:
        result = self.call(
            who,
            api.messages.UpdatePinnedMessage(
                peer=self.input_peer(who, chat), id=message_id, **flags
            ),
        )
        assert isinstance(result, api.Updates)
        return result

    def edit(self, who: int, chat: int, message_id: int, message: str, **options: Any) -> Any:
        return self.call(
            who,
            api.messages.EditMessage(
                peer=self.input_peer(who, chat), id=message_id, message=message, **options
            ),
        )

    def delete(self, who: int, *ids: int, revoke: bool = False) -> Any:
        return self.call(who, api.messages.DeleteMessages(id=list(ids), revoke=revoke))

    def forward(self, who: int, source: int, ids: list[int], to: int, **options: Any) -> Any:
        options.setdefault("random_id", [self.random_id() for _ in ids])
        return self.call(
            who,
            api.messages.ForwardMessages(
                from_peer=self.input_peer(who, source),
                id=ids,
                to_peer=self.input_peer(who, to),
                **options,
            ),
        )

    def read(self, who: int, chat: int, max_id: int = 0) -> Any:
        return self.call(
            who, api.messages.ReadHistory(peer=self.input_peer(who, chat), max_id=max_id)
        )

    def history(self, who: int, chat: int, **options: int) -> Any:
        fields = {
            "offset_id": 0,
            "offset_date": 0,
            "add_offset": 0,
            "limit": 100,
            "max_id": 0,
            "min_id": 0,
            "hash": 0,
        }
        request = api.messages.GetHistory(peer=self.input_peer(who, chat), **{**fields, **options})
        return self.call(who, request)

    def message(self, who: int, message_id: int, channel: int | None = None) -> Any:
        """Return one message as an account sees it, of its common box or of a channel."""
        ids: list[api.TypeInputMessage] = [api.InputMessageID(id=message_id)]
        request: Any = api.messages.GetMessages(id=ids)
        if channel is not None:
            where = self.input_channel(who, channel)
            request = api.channels.GetMessages(channel=where, id=ids)
        (found,) = self.call(who, request).messages
        return found

    def search(self, who: int, chat: int | None, **options: Any) -> Any:
        fields: dict[str, Any] = {
            "q": "",
            "filter": api.InputMessagesFilterEmpty(),
            "min_date": 0,
            "max_date": 0,
            "offset_id": 0,
            "add_offset": 0,
            "limit": 100,
            "max_id": 0,
            "min_id": 0,
            "hash": 0,
        }
        peer = api.InputPeerEmpty() if chat is None else self.input_peer(who, chat)
        return self.call(who, api.messages.Search(peer=peer, **{**fields, **options}))

    def state(self, who: int) -> api.updates.State:
        found: api.updates.State = self.call(who, api.updates.GetState())
        return found

    def difference(self, who: int, pts: int, **options: int) -> Any:
        return self.call(who, api.updates.GetDifference(pts=pts, date=NOON, qts=0, **options))

    def channel_difference(self, who: int, channel: int, pts: int, *, limit: int = 100) -> Any:
        request = api.updates.GetChannelDifference(
            channel=self.input_channel(who, channel),
            filter=api.ChannelMessagesFilterEmpty(),
            pts=pts,
            limit=limit,
        )
        return self.call(who, request)

    def dialog(self, who: int, chat: int) -> api.Dialog:
        peers: list[api.TypeInputDialogPeer] = [
            api.InputDialogPeer(peer=self.input_peer(who, chat))
        ]
        (found,) = self.call(who, api.messages.GetPeerDialogs(peers=peers)).dialogs
        return found

    # -------------------------------------------------------------- what no method changes yet

    def block(self, owner: int, other: int) -> None:
        with self.world.db.begin() as tx:
            tx.execute(
                tables.blocked.insert().values(
                    owner_id=owner, peer_type=PEER_USER, peer_id=other, date=NOON
                )
            )

    def unblock(self, owner: int, other: int) -> None:
        with self.world.db.begin() as tx:
            tx.execute(
                blocked.delete().where(blocked.c.owner_id == owner, blocked.c.peer_id == other)
            )

    def forbid_pins(self, owner: int, other: int) -> None:
        with self.world.db.begin() as tx:
            dialog_store.save_dialog(tx, owner, Peer(PEER_USER, other), can_pin=False)

    def delete_account(self, user_id: int) -> None:
        with self.world.db.begin() as tx:
            tx.execute(users.update().where(users.c.id == user_id).values(deleted=True))

    def dialogs_of(self, owner: int) -> int:
        with self.world.db.begin() as tx:
            rows = tx.execute(dialogs.select().where(dialogs.c.user_id == owner))
            return len(rows.all())


@contextmanager
def fault(message: str, code: int = 400) -> Iterator[None]:
    """Expect a call to fail with exactly this error."""
    with pytest.raises(RpcFault) as caught:
        yield
    assert (caught.value.code, caught.value.message) == (code, message)


def kinds(updates: list[Any]) -> list[str]:
    """Return the short names of some updates."""
    return [type(update).__name__ for update in updates]


MakeStage = Callable[..., Stage]
