"""Plays the rows of :mod:`cases` over TCP with Radiogram's client, many rows on one server.

Every row has messages of its own and, but for private chats, a chat of its own. After the call the
result and everybody's pushes are put into the words of the rows; then each person's difference from
before the call must tell the same as the pushes did, and no box may have a gap in its pts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from typing import Any

from radiogram import TelegramClient, api, errors
from radiogram.client.ids import mark_channel, mark_chat
from radiogram.server import Server
from radiogram.server.settings import Settings
from radiogram.sessions import StringSession

from .cases import Case

USERS = {"ann": "9996620001", "bob": "9996620002", "cat": "9996620003", "eve": "9996620004"}
LATER = 2**31 - 1
"""A date after which no channel has news."""
TEXT = re.compile(r"\d+:(\w)")
IGNORED = (api.UpdateMessageID, api.UpdateReadChannelInbox, api.UpdateReadHistoryInbox)


class Person:
    """One account with its only client."""

    def __init__(self, name: str, client: TelegramClient, user_id: int) -> None:
        self.name = name
        self.client = client
        self.id = user_id
        self.received: list[api.TypeUpdates] = []
        self.labels: dict[tuple[int | None, int], str] = {}
        """What messages are called in the row, by channel (None: the common box) and id."""
        self.pts: dict[int | None, int] = {}
        self.qts = 0
        self.qts_before = 0
        """The qts before the call of the row."""
        client.on_update(self.received.append)

    async def call(self, request: Any) -> Any:
        result = await self.client.invoke(request)
        self.take(updates_of(result))
        return result

    async def listen(self) -> list[Any]:
        """Return everything that was pushed since the last time."""
        state = await self.client.invoke(api.updates.GetState())
        self.qts = state.qts
        pushed = [update for one in self.received for update in updates_of(one)]
        self.received.clear()
        self.take(pushed)
        return pushed

    def take(self, updates: Iterable[Any]) -> None:
        """Learn what messages are called, and see that no pts is left out."""
        for update in updates:
            message = getattr(update, "message", None)
            if isinstance(message, api.Message | api.MessageService):
                self.learn(message)
            moves = getattr(update, "pts_count", None)
            if moves is None:
                continue
            line = line_of(update)
            if line in self.pts:
                assert update.pts == self.pts[line] + moves, f"{self.name}: a gap before {update}"
            self.pts[line] = update.pts

    def learn(self, message: api.Message | api.MessageService) -> None:
        line = getattr(message.peer_id, "channel_id", None)
        match = TEXT.fullmatch(message.message) if isinstance(message, api.Message) else None
        if match:
            self.labels[line, message.id] = match[1]
        elif isinstance(message, api.MessageService):
            self.labels[line, message.id] = "service"

    def say(self, updates: Iterable[Any]) -> list[str]:
        """Put updates into the words of the rows."""
        said = []
        for update in updates:
            line = line_of(update)
            match update:
                case api.UpdatePinnedMessages() | api.UpdatePinnedChannelMessages():
                    verb = "pinned" if update.pinned else "unpinned"
                    said.append(" ".join([verb, *(self.name_of(line, i) for i in update.messages)]))
                case api.UpdateNewMessage() | api.UpdateNewChannelMessage():
                    said.append(self.say_message(update.message))
                case _ if not isinstance(update, IGNORED):
                    said.append(type(update).__name__)
        return said

    def say_message(self, message: Any) -> str:
        """Put a service message about a pin into words."""
        if not isinstance(getattr(message, "action", None), api.MessageActionPinMessage):
            return type(message).__name__
        line = getattr(message.peer_id, "channel_id", None)
        header = message.reply_to
        about = "-" if header is None else self.name_of(line, header.reply_to_msg_id)
        words = ["says", about]
        if message.silent:
            words.append("silently")
        if message.mentioned:
            words.append("mentioning")
        if message.post:
            words.append("as a post")
        elif isinstance(message.from_id, api.PeerChannel):
            words.append("as the chat")
        if header is not None and header.forum_topic:
            words.append(f"in {self.name_of(line, header.reply_to_top_id)}")
        return " ".join(words)

    def name_of(self, line: int | None, message_id: int | None) -> str:
        return self.labels.get((line, message_id or 0), "?")

    def known(self) -> set[tuple[int | None, str]]:
        return {(line, label) for (line, _), label in self.labels.items()}

    def id_of(self, line: int | None, label: str) -> int:
        found = [i for (where, i), name in self.labels.items() if (where, name) == (line, label)]
        assert found, f"{self.name} has no {label}"
        return max(found)


def updates_of(result: Any) -> list[Any]:
    """Return the single updates in a result or a push; what moves a pts silently, as itself."""
    match result:
        case api.Updates() | api.UpdatesCombined():
            return list(result.updates)
        case api.UpdateShort():
            return [result.update]
        case api.UpdateShortSentMessage() | api.UpdateShortMessage() | api.UpdateShortChatMessage():
            return [result]
        case api.messages.InvitedUsers() | api.messages.ChatInviteJoinResultOk():
            return updates_of(result.updates)
    return []


def line_of(update: Any) -> int | None:
    """Return the channel whose line counts an update; None for the account's."""
    found: int | None = getattr(update, "channel_id", None)
    if found is None:
        peer = getattr(getattr(update, "message", None), "peer_id", None)
        found = getattr(peer, "channel_id", None)
    return found


class Theatre:
    """A server and its people, for the rows of one kind of settings."""

    def __init__(self, server: Server, people: dict[str, Person]) -> None:
        self.server = server
        self.people = people
        self.rows = count(1)
        self.numbers = count(1)

    @classmethod
    async def open(cls, settings: str) -> Theatre:
        server = Server(settings=Settings(**_settings(settings)))
        await server.start()
        bot = server.world.add_bot("Bot", "pinning_bot")
        people = {}
        for name, phone in USERS.items():
            client = TelegramClient(StringSession(""), 1, "any", server=server)
            me = await client.start(phone=phone, code="22222", first_name=name)
            await client.invoke(api.account.UpdateUsername(username=f"{name}_pins"))
            people[name] = Person(name, client, me.id)
        client = TelegramClient(StringSession(""), 1, "any", server=server)
        me = await client.start(bot_token=bot.token)
        people["bot"] = Person("bot", client, me.id)
        theatre = cls(server, people)
        for one in people.values():
            for other in people.values():
                if one is not other:  # so that each can name the others
                    await one.client.marked_id(theatre.username(other.name))
            state = await one.client.invoke(api.updates.GetState())
            one.received.clear()
            one.pts[None] = state.pts
        return theatre

    def username(self, name: str) -> str:
        return "pinning_bot" if name == "bot" else f"{name}_pins"

    async def close(self) -> None:
        for person in self.people.values():
            await person.client.disconnect()
        await self.server.close()

    async def listen(self) -> dict[str, list[Any]]:
        return {name: await person.listen() for name, person in self.people.items()}

    async def play(self, case: Case) -> None:
        """Play one row and raise AssertionError where it is not as the row says."""
        row = Row(self, case)
        try:
            await row.begin()
            for step in filter(None, map(str.strip, case.steps.split(";"))):
                await row.step(step)
                await self.listen()
            await row.check()
        finally:
            await row.end()


def _settings(text: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        values[name] = int(value) if value.isdecimal() else value == "True" or value
    return values


class Row:
    """One row while it is played."""

    def __init__(self, theatre: Theatre, case: Case) -> None:
        self.theatre = theatre
        self.case = case
        self.number = next(theatre.rows)
        self.chat: Any = None
        """The raw group or channel, as its owner sees it."""
        self.undo: list[Callable[[], object]] = []
        self.topics: dict[str, int] = {}
        self.unfold = {"dan": 0}
        self.connection_id = ""
        """Over which the bot acts for ann."""

    # ── the chat ─────────────────────────────────────────────────────────────────────────────

    async def begin(self) -> None:
        kind = self.case.chat
        ann = self.person("ann")
        for person in self.theatre.people.values():
            person.labels.clear()
        others: list[Any] = [self.theatre.username(name) for name in ("bob", "cat", "bot")]
        if kind == "group":
            made = await ann.call(api.messages.CreateChat(users=others, title="Group"))
            (self.chat,) = made.updates.chats
        elif kind in ("supergroup", "channel", "forum"):
            made = await ann.call(
                api.channels.CreateChannel(
                    title=kind,
                    about="",
                    megagroup=kind != "channel",
                    broadcast=kind == "channel",
                    forum=kind == "forum",
                )
            )
            (self.chat,) = made.chats
            users = others[:2]
            await ann.call(api.channels.InviteToChannel(channel=self.chat, users=users))
            if kind == "channel":
                await self.step("ann promotes bot with post_messages")
            else:
                await ann.call(api.channels.InviteToChannel(channel=self.chat, users=others[2:]))
        else:
            partner = {"saved": "ann", "bot": "bot"}.get(kind, "bob")
            clear = api.messages.UnpinAllMessages(peer=self.peer(ann, partner))
            with suppress(errors.ChatNotModified):
                more = True
                while more:
                    result = await ann.call(clear)
                    ann.pts[None] = result.pts
                    more = result.offset > 0
        await self.theatre.listen()

    async def end(self) -> None:
        for undo in self.undo:
            undo()
        if self.connection_id:
            await self.do_disconnects(self.person("ann"), "bot")
        if self.chat is not None and isinstance(self.chat, api.Channel):
            with suppress(errors.RpcError):  # the row may have done it
                await self.person("ann").call(api.channels.DeleteChannel(channel=self.chat))
        for one in ("ann", "bob"):
            for other in ("ann", "bob", "bot"):
                if one != other:
                    request = api.contacts.Unblock(id=self.theatre.username(other))
                    await self.person(one).call(request)
        await self.theatre.listen()

    def person(self, name: str) -> Person:
        return self.theatre.people[name]

    @property
    def line(self) -> int | None:
        return self.chat.id if isinstance(self.chat, api.Channel) else None

    def peer(self, who: Person, partner: str = "") -> Any:
        """Name the chat, or a private chat with a partner, for somebody."""
        if partner:
            return "me" if partner == who.name else self.theatre.username(partner)
        if self.chat is not None:
            marked = mark_chat if isinstance(self.chat, api.Chat) else mark_channel
            return self.hashed(who) if who.name == "eve" and self.line else marked(self.chat.id)
        if self.case.chat == "saved":
            return "me"
        other = "bot" if self.case.chat == "bot" else "bob"
        named = "ann" if who.name == other else other
        return self.theatre.username(named)

    def hashed(self, who: Person) -> api.InputPeerChannel:
        """Name the channel for somebody who has not heard of it but knows its access hash."""
        from radiogram.server import render, user_store

        with self.theatre.server.world.db.begin() as tx:
            secret = user_store.load_users(tx, [who.id])[who.id].access_secret
        assert self.line is not None
        return api.InputPeerChannel(
            channel_id=self.line, access_hash=render.channel_hash(secret, self.line)
        )

    # ── steps ────────────────────────────────────────────────────────────────────────────────

    async def step(self, step: str) -> Any:
        who, verb, *rest = step.split()
        person = self.theatre.people.get(who)
        words = " ".join(rest)
        if person is None or verb in ("is", "may"):
            return await self.world_step(who, f"{verb} {words}")
        act = getattr(self, f"do_{verb}")
        return await act(person, *rest)

    async def world_step(self, who: str, words: str) -> None:
        world = self.theatre.server.world
        ann = self.person("ann")
        if words == "is deleted":
            account = world.add_user(f"99966299{self.number:02}"[:10], "Dan", username="dan_pins")
            await ann.call(api.messages.SendMessage(peer="dan_pins", message="x"))
            world.delete_account(account.id)
            self.unfold["dan"] = account.id
        elif words == "is limited":
            user_id = self.person(who).id
            world.limit_account(user_id)
            self.undo.append(lambda: world.limit_account(user_id, limited=False))
        elif who == "ann" and words == "may not pin":
            ids = self.person("ann").id, self.person("bob").id
            world.forbid_pins(*ids)
            self.undo.append(lambda: world.forbid_pins(*ids, forbidden=False))
        else:
            assert who == "members", (who, words)
            await self.restrict_everybody(words)

    async def restrict_everybody(self, words: str) -> None:
        ann = self.person("ann")
        rights = self.chat.default_banned_rights
        flags = {"pin_messages": bool(rights.pin_messages)}
        flags["send_messages"] = bool(rights.send_messages)
        name = "pin_messages" if "pin" in words else "send_messages"
        flags[name] = "not" in words
        changed = api.ChatBannedRights(until_date=0, **flags)
        result = await ann.call(
            api.messages.EditChatDefaultBannedRights(peer=self.peer(ann), banned_rights=changed)
        )
        del result
        self.chat.default_banned_rights = changed

    async def do_sends(self, who: Person, label: str, *where: str) -> None:
        reply = None
        if where:
            reply = api.InputReplyToMessage(
                reply_to_msg_id=self.topics[where[1]], top_msg_id=self.topics[where[1]]
            )
        request = api.messages.SendMessage(
            peer=self.peer(who), message=f"{self.number}:{label}", reply_to=reply
        )
        result = await who.call(request)
        if isinstance(result, api.UpdateShortSentMessage):
            who.labels[None, result.id] = label

    async def do_notes(self, who: Person, label: str) -> None:
        request = api.messages.SendMessage(peer="me", message=f"{self.number}:{label}")
        result = await who.call(request)
        if isinstance(result, api.UpdateShortSentMessage):
            who.labels[None, result.id] = label

    async def do_edits(self, who: Person, label: str) -> None:
        await who.call(
            api.messages.EditMessage(
                peer=self.peer(who),
                id=who.id_of(self.line, label),
                message=f"{self.number}:{label}",
                entities=[api.MessageEntityBold(offset=0, length=1)],
            )
        )

    async def do_deletes(self, who: Person, label: str, *, revoke: bool = False) -> None:
        if label == "it":
            await who.call(api.channels.DeleteChannel(channel=self.chat))
            return
        ids = [who.id_of(self.line, label)]
        if self.line is not None:
            result = await who.call(api.channels.DeleteMessages(channel=self.chat, id=ids))
        else:
            result = await who.call(api.messages.DeleteMessages(id=ids, revoke=revoke))
        who.pts[self.line] = result.pts

    async def do_revokes(self, who: Person, label: str) -> None:
        await self.do_deletes(who, label, revoke=True)

    async def do_leaves(self, who: Person) -> None:
        if self.line is not None:
            await who.call(api.channels.LeaveChannel(channel=self.peer(who)))
        else:
            me = api.InputUserSelf()
            await who.call(api.messages.DeleteChatUser(chat_id=self.chat.id, user_id=me))

    async def do_kicks(self, who: Person, name: str) -> None:
        user = self.theatre.username(name)
        if self.line is not None:
            rights = api.ChatBannedRights(view_messages=True, until_date=0)
            await self.edit_banned(who, name, rights)
        else:
            await who.call(api.messages.DeleteChatUser(chat_id=self.chat.id, user_id=user))

    async def edit_banned(self, who: Person, name: str, rights: api.ChatBannedRights) -> None:
        await who.call(
            api.channels.EditBanned(
                channel=self.chat, participant=self.theatre.username(name), banned_rights=rights
            )
        )

    async def do_bans(self, who: Person, name: str, _from: str, right: str) -> None:
        flags: dict[str, Any] = {right: True}
        await self.edit_banned(who, name, api.ChatBannedRights(until_date=0, **flags))

    async def do_unbans(self, who: Person, name: str) -> None:
        await self.edit_banned(who, name, api.ChatBannedRights(until_date=0))

    async def do_invites(self, who: Person, name: str) -> None:
        user = self.theatre.username(name)
        if self.line is not None:
            self.person(name).pts.pop(self.line, None)  # what happened meanwhile was not told
            await who.call(api.channels.InviteToChannel(channel=self.chat, users=[user]))
        else:
            request = api.messages.AddChatUser(chat_id=self.chat.id, user_id=user, fwd_limit=0)
            await who.call(request)

    async def do_promotes(self, who: Person, name: str, *words: str) -> None:
        user = self.theatre.username(name)
        if self.line is None:
            await who.call(
                api.messages.EditChatAdmin(chat_id=self.chat.id, user_id=user, is_admin=True)
            )
            return
        flags: dict[str, Any] = dict.fromkeys(words[1:], True)
        await who.call(
            api.channels.EditAdmin(
                channel=self.chat,
                user_id=user,
                admin_rights=api.ChatAdminRights(**flags),
                rank="",
            )
        )

    async def do_blocks(self, who: Person, name: str) -> None:
        await who.call(api.contacts.Block(id=self.theatre.username(name)))

    async def do_hides(self, who: Person, _what: str) -> None:
        await who.call(api.channels.TogglePreHistoryHidden(channel=self.chat, enabled=True))

    async def do_makes(self, who: Person, *_words: str) -> None:
        name = f"public_{self.number}_pins"
        await who.call(api.channels.UpdateUsername(channel=self.chat, username=name))

    async def do_migrates(self, who: Person) -> None:
        await who.call(api.messages.MigrateChat(chat_id=self.chat.id))

    async def do_opens(self, who: Person, label: str) -> None:
        result = await who.call(
            api.messages.CreateForumTopic(peer=self.peer(who), title="Topic", icon_color=None)
        )
        (message,) = [u.message for u in result.updates if hasattr(u, "message")]
        self.topics[label] = message.id
        await self.theatre.listen()
        for person in self.theatre.people.values():
            person.labels[self.line, message.id] = label

    # ── the call ─────────────────────────────────────────────────────────────────────────────

    async def do_pins(self, who: Person, *words: str, unpin: bool = False) -> Any:
        label, *rest = words
        label = "service" if label == "the" else label
        text = " ".join(rest)
        if "all" in words:
            topic = self.topics[rest[1]] if rest[:1] == ["in"] else None
            request: Any = api.messages.UnpinAllMessages(peer=self.peer(who), top_msg_id=topic)
            result = await who.call(request)
            if result.pts_count:
                assert result.pts == who.pts[self.line] + result.pts_count
                who.pts[self.line] = result.pts
            return result
        peer = self.peer(who)
        if "nowhere" in text:
            peer = api.InputPeerEmpty()
        elif "with a wrong hash" in text:
            peer = self.wrong(who)
        elif "in a chat that is not" in text:
            peer = api.InputPeerChat(chat_id=self.chat.id + 1)
        elif "with itself" in text:
            peer = api.InputPeerSelf()
        elif "with dan" in text:
            peer = self.unfold["dan"]
        if label.startswith("#"):
            message_id = int(label[1:])
        elif self.line is not None and (self.line, label) not in who.known():
            message_id = self.person("ann").id_of(self.line, label)
        else:
            owner = self.person("ann") if "for" in rest else who
            message_id = owner.id_of(self.line, label)
        pin = api.messages.UpdatePinnedMessage(
            peer=peer,
            id=message_id,
            unpin=unpin,
            silent="silent" in rest,
            pm_oneside="oneside" in rest,
        )
        if "for" not in rest:
            return await who.call(pin)
        pin.peer = await who.client.input_peer(peer)
        return await who.client.invoke(
            api.InvokeWithBusinessConnection(connection_id=self.connection_id or "-", query=pin)
        )

    async def do_unpins(self, who: Person, *words: str) -> Any:
        return await self.do_pins(who, *words, unpin=True)

    async def do_connects(self, who: Person, name: str, *words: str) -> None:
        to: list[Any] = [self.theatre.username(words[1])] if words[:1] == ("to",) else []
        await who.call(
            api.account.UpdateConnectedBot(
                bot=self.theatre.username(name),
                rights=api.BusinessBotRights(reply="reading" not in words, read_messages=True),
                recipients=api.InputBusinessBotRecipients(exclude_selected=not to, users=to),
            )
        )
        (told,) = await self.person(name).listen()
        self.connection_id = told.connection.connection_id

    async def do_disconnects(self, who: Person, name: str) -> None:
        nobody = api.InputBusinessBotRecipients()
        bot: Any = self.theatre.username(name)
        await who.call(api.account.UpdateConnectedBot(bot=bot, recipients=nobody, deleted=True))

    def wrong(self, who: Person) -> Any:
        if self.line is not None:
            return api.InputPeerChannel(channel_id=self.line, access_hash=12345)
        other = self.person("bob" if who.name == "ann" else "ann")
        return api.InputPeerUser(user_id=other.id, access_hash=12345)

    # ── what must be ─────────────────────────────────────────────────────────────────────────

    async def check(self) -> None:
        case, people = self.case, self.theatre.people
        who = case.call.split()[0]
        acting = people["ann" if case.call.endswith(" for ann") else who]
        before = {name: dict(person.pts) for name, person in people.items()}
        for person in people.values():
            person.qts_before = person.qts
        said, result = "", None
        try:
            result = await self.step(case.call)
        except errors.RpcError as error:
            said = f"! {error.message}"
        told = {name: people[name].say(pushed) for name, pushed in (await self.heard()).items()}
        mine = acting.say(updates_of(result))
        if isinstance(result, api.messages.AffectedHistory):
            said = await self.say_affected(people[who], before[who], result)
            mine = [] if said == "nothing" else [said.partition(" and ")[0]]
        elif not said:
            said = ", ".join(mine) or "nothing"
        assert said == case.result.replace("unpinned nothing", "nothing"), "the result"
        assert {name: words for name, words in told.items() if words} == self.wanted(case.told)
        if acting is people[who]:
            told[who] = told.get(who, []) + mine
        await self.check_differences(before, told)
        for part in filter(None, map(str.strip, case.shows.split(";"))):
            name, _, label = part.partition(": ")
            await self.check_shows(people[name], label)

    async def heard(self) -> dict[str, list[Any]]:
        return await self.theatre.listen()

    def wanted(self, told: str) -> dict[str, list[str]]:
        found = {}
        for part in filter(None, map(str.strip, told.split(";"))):
            name, _, words = part.partition(": ")
            found[name] = words.split(", ")
        return found

    async def say_affected(self, who: Person, before: Any, result: Any) -> str:
        """Put the result of unpinAllMessages into words: its caller learns no ids from it."""
        if not result.pts_count:
            return "nothing"
        news = await self.missed(who, before)
        (update,) = [one for one in news if hasattr(one, "messages")]
        assert update.pts_count == result.pts_count
        said = who.say([update])[0]
        return said if not result.offset else f"{said} and {result.offset} more"

    async def check_differences(self, before: Any, told: dict[str, list[str]]) -> None:
        """A fresh difference from before leads to where the pushes led (B7.5)."""
        for name, person in self.theatre.people.items():
            in_channel = self.line is not None and told.get(name)
            news = await self.missed(person, before[name], common=not in_channel)
            said = Counter(person.say(news))
            assert said == Counter(told.get(name, ())), f"{name}'s difference, and what was told"

    async def missed(self, who: Person, before: Any, *, common: bool | None = None) -> list[Any]:
        """Return what a difference tells, new messages as updates."""
        if common is None:
            common = self.line is None
        if common:
            request: Any = api.updates.GetDifference(
                pts=before[None], date=LATER, qts=who.qts_before
            )
            news: Any = api.UpdateNewMessage
        else:
            request = api.updates.GetChannelDifference(
                channel=self.peer(who),
                filter=api.ChannelMessagesFilterEmpty(),
                pts=before[self.line],
                limit=100,
            )
            news = api.UpdateNewChannelMessage
        part = await who.client.invoke(request)
        if not hasattr(part, "new_messages"):
            return []
        for message in part.new_messages:
            who.learn(message)
        updates = [news(message=m, pts=0, pts_count=0) for m in part.new_messages]
        return updates + [u for u in part.other_updates if not isinstance(u, IGNORED)]

    async def check_shows(self, who: Person, label: str) -> None:
        """The full object and the filter show the last pinned message (B8.1, B8.2)."""
        peer = self.peer(who)
        if isinstance(self.chat, api.Chat):
            full = await who.call(api.messages.GetFullChat(chat_id=self.chat.id))
            pinned = full.full_chat.pinned_msg_id
        elif self.line is not None:
            full = await who.call(api.channels.GetFullChannel(channel=peer))
            pinned = full.full_chat.pinned_msg_id
        else:
            full = await who.call(api.users.GetFullUser(id=peer))
            pinned = full.full_user.pinned_msg_id
        assert (who.name_of(self.line, pinned) if pinned else "-") == label, f"{who.name} is shown"
        found = await who.call(
            api.messages.Search(
                peer=peer,
                q="",
                filter=api.InputMessagesFilterPinned(),
                min_date=0,
                max_date=0,
                offset_id=0,
                add_offset=0,
                limit=1,
                max_id=0,
                min_id=0,
                hash=0,
            )
        )
        assert [message.id for message in found.messages] == ([pinned] if pinned else [])
