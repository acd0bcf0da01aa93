"""The demonstration: two people, a bot and a server on this machine talk over real MTProto.

Top layer. Knows client and server by their public names only, as a user's program does. It is
also a check of the whole: what it tells is compared with what came over the wire, and anything
else ends it with exit code 1.
"""

from __future__ import annotations

import asyncio
import json
import textwrap
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from radiogram import TelegramClient, __version__, api, errors
from radiogram.errors import RadiogramError
from radiogram.server import Server
from radiogram.sessions import StringSession
from radiogram.tl.base import Request, TLObject

Result = TypeVar("Result")

WIDTH = 100
INDENT = 7
"""Columns for the name of a person and the mark of a line."""
PATIENCE = 10.0
"""Seconds that an update which has to come may take."""

FLAGS = ("silent", "unpin", "pm_oneside")
PINS: tuple[tuple[tuple[str, ...], bool, bool], ...] = (
    # flags of the call, does Ben's side change too, is there a service message (B5, B6)
    ((), True, True),
    (("unpin",), True, False),
    (("silent",), True, True),
    (("silent", "unpin"), True, False),
    (("pm_oneside",), False, False),
    (("unpin", "pm_oneside"), False, False),
    (("silent", "pm_oneside"), False, False),
    (("silent", "unpin", "pm_oneside"), False, False),
)
"""Every combination of the three flags, in an order in which each call changes something."""

BESIDE_THE_POINT = {
    "access_hash", "bot_info_version", "chats", "date", "entities", "from_id", "photo", "pts_count",
    "random_id", "seq", "status", "users",
}  # fmt: skip
"""Fields that the short form of an object leaves out."""

YOUR_TURN = """\
# line = what `radiogram serve --json` printed

# Radiogram
client = TelegramClient(StringSession(""), 1, "any", server=ServerAddress.from_json(line))

# Telethon
server = json.loads(line)
telethon.crypto.rsa.add_key(server["public_key"], old=False)
client = TelegramClient(StringSession(), 1, "any")
client.session.set_dc(server["dc_id"], server["host"], server["port"])

// GramJS dials port 80 whatever its session says: put the address in below it
const server = JSON.parse(line);
const { PromisedNetSockets } = require("telegram/extensions");
const dial = PromisedNetSockets.prototype.connect;
PromisedNetSockets.prototype.connect = function () {
  return dial.call(this, server.port, server.host);
};
const key = require("crypto").createPublicKey(server.public_key).export({ format: "jwk" });
const n = require("big-integer")(Buffer.from(key.n, "base64url").toString("hex"), 16);
const fingerprint = line.match(/"fingerprint": *(-?\\d+)/)[1]; // too long for a JavaScript number
require("telegram/crypto/RSA")._serverKeys.set(fingerprint, { n, e: 65537 });
"""


class UnexpectedError(Exception):
    """Something else came over the wire than what the demonstration tells."""


class Person:
    """One account: its client, and what reached it unasked about messages and pins."""

    def __init__(self, name: str, style: str, client: TelegramClient) -> None:
        self.name = name
        self.style = style
        self.client = client
        self._inbox: asyncio.Queue[TLObject] = asyncio.Queue()
        client.on_update(self._keep)

    def _keep(self, updates: api.TypeUpdates) -> None:
        interesting = api.UpdateNewMessage, api.UpdateShortMessage, api.UpdatePinnedMessages
        for update in parts(updates):
            if isinstance(update, interesting):
                self._inbox.put_nowait(update)

    async def receive(self) -> TLObject:
        """Return the next update, waiting for it."""
        try:
            return await asyncio.wait_for(self._inbox.get(), PATIENCE)
        except TimeoutError:
            raise UnexpectedError(f"nothing reached {self.name} in {PATIENCE:.0f} s") from None

    async def pts(self) -> int:
        """Return the number of the last change of this account's box."""
        return (await self.client.invoke(api.updates.GetState())).pts

    @property
    def idle(self) -> bool:
        """Whether nothing arrived that was not looked at."""
        return self._inbox.empty()


class Stage:
    """Prints what happens."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.scenes = 0

    def scene(self, title: str, text: str) -> None:
        """Begin a part of the demonstration."""
        self.scenes += 1
        self.console.print()
        self.console.rule(f"[bold]{self.scenes}  {escape(title)}", align="left", style="dim")
        self.console.print(text, style="dim", markup=False)

    def line(self, person: Person, mark: str, text: str, style: str = "") -> None:
        """Print one line of a person: ``→`` a call, ``=`` its result, ``←`` an update."""
        room = self.console.width - INDENT
        first, *more = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
        name = (f"{person.name:<{INDENT - 3}} ", f"bold {person.style}")
        self.console.print(Text.assemble(name, f"{mark} ", (first, style)))
        for rest in more:
            self.console.print(Text(" " * INDENT + rest, style))

    async def call(self, person: Person, request: Request[Result]) -> Result:
        """Invoke a request, and print it with its result; an error of Telegram passes through."""
        self.line(person, "→", f"await client.invoke({code(request)})", person.style)
        result = await person.client.invoke(request)
        shown: list[object] = list(parts(result)) or [result]
        for part in shown:
            self.line(person, "=", short(part))
        return result

    async def watch(self, person: Person) -> TLObject:
        """Print the next update that reaches a person, and return it."""
        update = await person.receive()
        self.line(person, "←", short(update), "italic")
        return update


def parts(value: object) -> Iterator[TLObject]:
    """Yield the single updates in an answer or a push; nothing if there are none."""
    match value:
        case api.Updates() | api.UpdatesCombined():
            yield from value.updates
        case api.UpdateShort():
            yield value.update
        case api.UpdateShortMessage() | api.UpdateShortSentMessage():
            yield value


def short(value: object) -> str:
    """Return a value as one would write it, without what is empty or beside the point."""
    if isinstance(value, list):
        return f"[{', '.join(map(short, value))}]"
    if not isinstance(value, TLObject) or value.TL_DEFINITION is None:
        return repr(value)
    shown = ", ".join(
        f"{name}={short(content)}"
        for name in (field.attribute for field in value.TL_DEFINITION.fields)
        if name not in BESIDE_THE_POINT
        and (content := getattr(value, name)) is not None
        and content is not False
        and content not in ([], "")
    )
    return f"{type(value).__name__}({shown})"


def code(request: Request[Any]) -> str:
    """Return a request as a program has it: what is required first, then the flags."""
    definition = request.TL_DEFINITION
    fields = sorted(definition.fields if definition else (), key=lambda field: field.optional)
    arguments = {field.attribute: getattr(request, field.attribute) for field in fields}
    return f"api.{type(request).__qualname__}({written(arguments)})"


def written(arguments: dict[str, Any]) -> str:
    """Return keyword arguments as a program has them."""
    shown = {name: value for name, value in arguments.items() if name not in BESIDE_THE_POINT}
    return ", ".join(
        f"{name}={json.dumps(value) if isinstance(value, str) else repr(value)}"
        for name, value in shown.items()
        if value is not None and value is not False
    )


def check(holds: bool, otherwise: str) -> None:
    """Raise UnexpectedError unless what was told is so."""
    if not holds:
        raise UnexpectedError(otherwise)


def text_of(update: TLObject) -> str:
    """Return the text of a message that arrived."""
    message = update.message if isinstance(update, api.UpdateNewMessage) else update
    return str(getattr(message, "message", ""))


def id_of(update: object) -> int:
    """Return the id of a message that arrived, or that was just sent."""
    for part in parts(update):
        if isinstance(part, api.UpdateShortMessage | api.UpdateShortSentMessage):
            return part.id
        if isinstance(part, api.UpdateMessageID):
            return part.id
    message = getattr(update, "message", None)
    return int(getattr(message, "id", 0))


def is_pin(update: TLObject, message_id: int, request: api.messages.UpdatePinnedMessage) -> bool:
    """Tell whether an update says just what the request asked for."""
    return (
        isinstance(update, api.UpdatePinnedMessages)
        and update.messages == [message_id]
        and update.pinned is not request.unpin
    )


def is_notice(update: TLObject) -> bool:
    """Tell whether an update brings the service message about a pin."""
    return (
        isinstance(update, api.UpdateNewMessage)
        and isinstance(update.message, api.MessageService)
        and isinstance(update.message.action, api.MessageActionPinMessage)
    )


async def sign_up(stage: Stage, server: Server, people: AsyncExitStack) -> list[Person]:
    """Make the three accounts, each with a connection of its own."""
    stage.scene(
        "Two people and a bot sign up, over TCP",
        "Numbers 99966XYYYY are for tests: X is the data centre, and XXXXX the login code.",
    )
    token = server.world.add_bot(name="Lighthouse", username="lighthouse_bot").token
    cast: list[tuple[str, str, dict[str, Any]]] = [
        ("Ada", "cyan", {"phone": "9996620001", "code": "22222", "first_name": "Ada"}),
        ("Ben", "green", {"phone": "9996620002", "code": "22222", "first_name": "Ben"}),
        ("Bot", "magenta", {"bot_token": token}),
    ]
    made = []
    for name, style, arguments in cast:
        client = TelegramClient(StringSession(""), 1, "demo", server=server)
        await people.enter_async_context(client)
        person = Person(name, style, client)
        stage.line(person, "→", f"await client.start({written(arguments)})", style)
        await client.start(**arguments)
        stage.line(person, "=", short((await client.get_me()).raw))
        made.append(person)
    return made


async def write(stage: Stage, ada: Person, ben: Person, bot: Person) -> tuple[int, int]:
    """Let everybody write; return the ids of Ada's message, on her side and on Ben's."""
    stage.scene(
        "They write to each other",
        "A peer is a username, a phone number, an id or an object: the client looks it up.",
    )
    await stage.call(ben, api.account.UpdateUsername(username="username"))
    await stage.call(ben, api.messages.SendMessage(peer="lighthouse_bot", message="/start"))
    check(text_of(await stage.watch(bot)) == "/start", "the bot did not receive Ben's words")
    answer = api.messages.SendMessage(peer="username", message="The lamp is lit.")
    await stage.call(bot, answer)
    check(text_of(await stage.watch(ben)) == answer.message, "Ben did not receive the answer")
    letter = api.messages.SendMessage(peer="username", message="Noon, at the harbour.")
    ours = id_of(await stage.call(ada, letter))
    arrived = await stage.watch(ben)
    check(text_of(arrived) == letter.message, "Ben did not receive Ada's words")
    return ours, id_of(arrived)


async def pin(stage: Stage, ada: Person, ben: Person, ours: int, theirs: int) -> None:
    """Pin and unpin Ada's message with every combination of flags; compare both sides."""
    stage.scene(
        "Ada pins and unpins, with every flag",
        f"Her message has id {ours} in her own box and id {theirs} in Ben's. A service message"
        " about a pin is silent\nin private chats, with the flag and without.",
    )
    for flags, reaches_ben, notice in PINS:
        stage.console.print()
        before = await ben.pts()
        request = api.messages.UpdatePinnedMessage(
            peer="username", id=ours, **dict.fromkeys(flags, True)
        )
        seen = list(parts(await stage.call(ada, request)))
        check(bool(seen) and is_pin(seen[0], ours, request), "Ada's own side did not change")
        check(any(map(is_notice, seen)) is notice, "Ada's service message")
        if reaches_ben:
            check(is_pin(await stage.watch(ben), theirs, request), "Ben saw another change")
        if notice:
            check(is_notice(await stage.watch(ben)), "Ben saw no service message")
        # What was pushed to Ben has reached him before the answer to a later call of his.
        after = await ben.pts()
        check(after - before == reaches_ben + notice and ben.idle, "Ben's side is not as told")
        if not reaches_ben:
            stage.line(ben, "·", f"nothing: his pts is still {after}", "dim")
    table = Table(title="Seen by Ben", title_justify="left", title_style="bold")
    for column in ("flags of the call", "the pin", "a service message"):
        table.add_column(column)
    for flags, reaches_ben, notice in PINS:
        does = "goes" if "unpin" in flags else "comes"
        table.add_row(
            ", ".join(flags) or "none", does if reaches_ben else "—", "yes" if notice else "—"
        )
    stage.console.print()
    stage.console.print(table)


async def fail(stage: Stage, ada: Person) -> None:
    """Make the call the project began with, word for word: message 43 does not exist here."""
    stage.scene("And when it goes wrong", "There is no message 43 here.")
    request = api.messages.UpdatePinnedMessage(peer="username", id=43, unpin=True, pm_oneside=True)
    try:
        await stage.call(ada, request)
    except errors.MessageIdInvalid as error:
        stage.line(ada, "!", f"errors.{type(error).__name__}: {error}", "red")
        check(
            error.name == "MESSAGE_ID_INVALID" and isinstance(error.request, type(request)),
            "another error",
        )
    else:
        raise UnexpectedError("message 43 was unpinned, though nobody wrote it")


async def play(console: Console) -> None:
    """Give the whole demonstration. Raises UnexpectedError or RadiogramError if it fails."""
    stage = Stage(console)
    started = time.perf_counter()
    async with Server() as server, AsyncExitStack() as people:
        took = time.perf_counter() - started
        console.print(f"[bold]Radiogram {__version__}[/bold]", highlight=False)
        console.print(
            f"A Telegram server was started on {server.host}:{server.port} in {took:.2f} s: data"
            f" centre {server.dc_id}, TL layer {api.LAYER}, in memory.\n"
            "→ is a call, = its result, ← an update that somebody received unasked.",
            highlight=False,
        )
        ada, ben, bot = await sign_up(stage, server, people)
        ours, theirs = await write(stage, ada, ben, bot)
        await pin(stage, ada, ben, ours, theirs)
        await fail(stage, ada)
    stage.scene(
        "Your turn",
        "Keep a server running with `radiogram serve --json`, and point your own program at it:\n",
    )
    for line in YOUR_TURN.splitlines():
        comment = line.startswith(("#", "//"))
        console.print(Text(f"  {line}".rstrip(), "bold" if comment else "yellow"))
    console.print()
    console.print(
        f"Everything was as it should be, in {time.perf_counter() - started:.1f} s.",
        style="bold green",
        highlight=False,
    )


def main(console: Console | None = None) -> int:
    """Give the demonstration on standard output; return the exit code."""
    console = console or Console()
    if not console.is_terminal or console.width > WIDTH:
        console.width = WIDTH
    try:
        asyncio.run(play(console))
    except (UnexpectedError, RadiogramError) as error:
        console.print(Text(f"The demonstration failed: {error}", "bold red"))
        return 1
    return 0
