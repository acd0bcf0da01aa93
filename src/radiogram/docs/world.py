"""Layer 5, docs: the world in which examples run: a server with people, chats and messages.

Everything in it is the same on every run: ids, access hashes, dates, texts. It is what
``radiogram docs`` and ``radiogram call --demo`` work on, too.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from radiogram.client.client import TelegramClient
from radiogram.client.environment import Environment
from radiogram.client.sessions import MemorySession, SessionData
from radiogram.docs.people import BOT, BOT_TOKEN, DORA, PEOPLE
from radiogram.server import invites
from radiogram.server.clock import Clock
from radiogram.server.db import MemoryDatabase
from radiogram.server.identity import key_of_process
from radiogram.server.rpc import RpcFault
from radiogram.server.server import Server
from radiogram.server.settings import Settings
from radiogram.server.world import World
from radiogram.tl import api

NOON = 1_790_000_000.0
"""Unix time at which the world stands still while it is furnished."""
SEED = 43
API_ID, API_HASH = 1, "0123456789abcdef0123456789abcdef"
"""The embedded server takes any."""

BOARD, ASKING = "HarbourNewsBoard", "HarbourNewsAsked"
"""Hashes of two links to the channel: one for everybody, one by which Cleo asks to be let in."""
PASSWORD, HINT, EMAIL = "tide tables", "what hangs at the pier", "dora@example.org"
MAILED_CODE = "271828"
"""What stands in each e-mail with a code."""

TALK = """\
Good morning!|Morning. Is the boat ready?|Almost, the sail is still wet.
Then we have time for coffee.|Always.|I brought rolls.|With poppy seeds?|With poppy seeds.
What does the forecast say?|Wind from the west, four.|And rain?|Not before evening.
Who else is coming?|Cleo, if her bike is mended.|It is, I saw her ride.|Good.
The key is under the mat.|Which mat?|The blue one.|Found it.
The engine needs oil.|I have half a litre.|That will do.|Bring the funnel too.
Funnel is on board.|Life jackets?|Three, and a small one.|Perfect.
Shall we sail round the island?|If the tide lets us.|High water is at two.|Then we leave at noon.
Meet at the pier?|At the second bridge.|I am on my way.|So is Cleo.
She has the map.|And the thermos.|Best crew there is.|Casting off in ten minutes.
Are you coming?|Two minutes!|Noon, at the harbour.|I will be there.|See you.
"""
"""What Ada and Ben have written to each other in turn; message 43 is the one that is pinned."""


class Pattern(NamedTuple):
    """A furnished world, of which others are copies: furnishing takes a quarter of a second."""

    database: MemoryDatabase
    ids: dict[str, int]
    chance: tuple[Any, ...]
    """State of its randomness."""


_pattern: Pattern | None = None


class DemoWorld:
    """A furnished server of its own, and clients that are signed in.

    ::

        async with DemoWorld() as demo:
            ada = await demo.client("ada")

    `frozen` lets its time stand still, so that answers are the same on every run. `options` are
    those of :class:`radiogram.server.Server`.
    """

    def __init__(self, *, frozen: bool = False, **options: Any) -> None:
        self._clock = Clock()
        self._frozen = frozen
        self._usual = not options
        self._pattern = _pattern if self._usual else None
        self._database = (
            MemoryDatabase() if self._pattern is None else self._pattern.database.copy()
        )
        made = {
            "seed": SEED,
            "settings": Settings(email_code=MAILED_CODE),
            "dcs": (2, 4),
            "key": key_of_process().to_pem(),
            "database": self._database.url,
            **options,
        }
        self.server = Server(**made, clock=self._clock)
        self.ids: dict[str, int] = {}
        """Accounts by the names that examples call them."""
        self._clients: dict[str, TelegramClient] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the server and furnish it; all but the first are copies of that one."""
        global _pattern  # noqa: PLW0603 - made once in a process
        await self.server.start()
        self._clock.freeze(NOON)
        world = self.server.world
        if self._pattern is None:
            self.ids = furnish(world)
            if self._usual and world.chance is not None:
                _pattern = Pattern(self._database.copy(), self.ids, world.chance.getstate())
        else:
            self.ids = self._pattern.ids
            assert world.chance is not None
            world.chance.setstate(self._pattern.chance)
        if not self._frozen:
            self._clock.resume()

    async def close(self) -> None:
        """Disconnect the clients and stop the server."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.disconnect()
        await self.server.close()
        self._database.close()
        self._clock.close()

    async def client(self, actor: str) -> TelegramClient:
        """Give the connected client of somebody (one of the ACTORS). Raises KeyError."""
        client = self._clients.get(actor)
        if client is None:
            client = TelegramClient(
                MemorySession(None if actor == "nobody" else self._sign_in(actor)),
                API_ID,
                API_HASH,
                server=self.server,
                environment=Environment(clock=self._clock.now),
            )
            self._clients[actor] = client
            await client.connect()
        return client

    def _sign_in(self, actor: str) -> SessionData:
        user_id = self.ids[actor]
        return SessionData(
            dc_id=self.server.dc_id,
            host=self.server.host,
            port=self.server.port,
            auth_key=self.server.world.sign_in(user_id).data,
            user_id=user_id,
            is_bot=actor == "bot",
        )


def furnish(world: World) -> dict[str, int]:
    """Put people, chats and messages into an empty world; give the accounts by name."""
    ids = {name: world.add_user(phone, first, "", username).id
           for name, (phone, first, username) in PEOPLE.items()}  # fmt: skip
    ids["bot"] = world.add_bot("Harbour bot", BOT, BOT_TOKEN).id
    _Furnisher(world, ids).furnish()
    ids["dora"] = world.add_user(*DORA[:2], "", DORA[2]).id
    world.set_password(ids["dora"], PASSWORD, hint=HINT, email=EMAIL)
    return ids


class _Furnisher:
    def __init__(self, world: World, ids: dict[str, int]) -> None:
        self.world = world
        self.ids = ids
        self.numbers = 0

    def call(self, actor: str, request: Any) -> Any:
        return self.world.call(self.ids[actor], request)

    def furnish(self) -> None:
        self.talk()
        users = [self.user("ada", name) for name in ("ben", "cleo")]
        self.group("Rowing club", users)
        self.room("Harbour talk", "harbour_talk", users, megagroup=True)
        self.room("Workshop", "workshop_talk", users, megagroup=True, forum=True)
        self.room("Harbour news", "harbour_news", users[:1], broadcast=True)
        self.links()

    def talk(self) -> None:
        """Let Ada and Ben write to each other, and Ben pin what they agreed upon."""
        lines = [line for row in TALK.splitlines() for line in row.split("|")]
        peers = {"ada": self.peer("ada", "ben"), "ben": self.peer("ben", "ada")}
        for number, line in enumerate(lines):
            actor = "ben" if number % 2 else "ada"
            self.send(actor, peers[actor], line)
        self.call("ada", api.messages.UpdatePinnedMessage(silent=True, peer=peers["ada"], id=43))
        self.send("cleo", self.peer("cleo", "ada"), "My bike is mended.")
        self.send("ada", self.peer("ada", "bot"), "/start")

    def group(self, title: str, users: list[Any]) -> None:
        made = self.call("ada", api.messages.CreateChat(users=users, title=title))
        chat = api.InputPeerChat(chat_id=made.updates.chats[0].id)
        self.send("ben", chat, "Training is on Thursday.")

    def room(self, title: str, username: str, users: list[Any], **kind: Any) -> None:
        made = self.call("ada", api.channels.CreateChannel(title=title, about="", **kind))
        chat = made.chats[0]
        channel = api.InputChannel(channel_id=chat.id, access_hash=chat.access_hash)
        peer = api.InputPeerChannel(channel_id=chat.id, access_hash=chat.access_hash)
        self.call("ada", api.channels.UpdateUsername(channel=channel, username=username))
        self.call("ada", api.channels.InviteToChannel(channel=channel, users=users))
        rights = api.ChatAdminRights(
            post_messages=True,
            edit_messages=True,
            delete_messages=True,
            pin_messages=True,
            ban_users=True,
            invite_users=True,
        )
        self.call("ada", api.channels.EditAdmin(
            channel=channel, user_id=self.user("ada", "bot"), admin_rights=rights, rank="helper",
        ))  # fmt: skip
        if kind.get("forum"):
            self.numbers += 1
            self.call("ada", api.messages.CreateForumTopic(
                peer=peer, title="Paint and varnish", random_id=self.numbers,
            ))  # fmt: skip
        self.send("ada", peer, f"Welcome to {title}!")
        self.send("ada", peer, "The pier is closed on Monday.")

    def links(self) -> None:
        """Let Ada make two links to the channel, and Cleo ask to be let in by one of them."""
        found = self.call("ada", api.contacts.ResolveUsername(username="harbour_news")).chats[0]
        with self.world.acting(self.ids["ada"]) as ada:
            for name, title, asked in ((BOARD, "Notice board", False), (ASKING, "Friends", True)):
                made = invites.insert(ada, found.id, ada.user_id, title=title, request_needed=asked)
                invites.change(ada.tx, made, hash=name)
        try:
            self.call("cleo", api.messages.ImportChatInvite(hash=ASKING))
        except RpcFault as fault:
            if fault.message != "INVITE_REQUEST_SENT":
                raise

    def send(self, actor: str, peer: Any, text: str) -> None:
        self.numbers += 1
        self.call(actor, api.messages.SendMessage(peer=peer, message=text, random_id=self.numbers))

    def user(self, actor: str, other: str) -> Any:
        found = self.found(actor, other)
        return api.InputUser(user_id=found.id, access_hash=found.access_hash)

    def peer(self, actor: str, other: str) -> Any:
        found = self.found(actor, other)
        return api.InputPeerUser(user_id=found.id, access_hash=found.access_hash)

    def found(self, actor: str, other: str) -> Any:
        username = BOT if other == "bot" else PEOPLE[other][2]
        return self.call(actor, api.contacts.ResolveUsername(username=username)).users[0]
