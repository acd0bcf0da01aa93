"""Server layer: BotFather, the account that makes bots for whoever writes to it (D8).

Knows what it is told, in which order it asks, and the rules of a bot's username. It answers by
calls in process, like any other account. Half-finished talks are kept in memory only.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, func, insert, select

from radiogram.server import accounts, render, text, usernames
from radiogram.server.rpc import RpcFault
from radiogram.server.tables import revoked_tokens, users
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.server.rpc import Context
    from radiogram.server.world import World

log = logging.getLogger("radiogram.server.botfather")

BOTFATHER_ID = 93372553
NAME = "BotFather"
TALKS_KEPT = 10_000
MAX_NAME = 64

HELP = """I make bots and look after their tokens.

/newbot - make a bot
/mybots - list your bots
/token - show the token of a bot
/revoke - give a bot another token
/cancel - drop what we are doing"""


@dataclass(frozen=True, slots=True)
class _Talk:
    """Where a talk stands: what was asked for last, and what was said before."""

    asked: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Reply:
    text: str
    token: str = ""
    choices: tuple[str, ...] = ()


class BotFather:
    """The account and its open talks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._talks: dict[int, _Talk] = {}

    def hear(self, user_id: int, said: str) -> None:
        """Take a message, and answer it once the call that brought it has its result."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._answer(user_id, said)
        else:
            loop.call_soon(self._answer, user_id, said)

    def _answer(self, user_id: int, said: str) -> None:
        try:
            with self._world.acting(BOTFATHER_ID) as ctx:
                reply = self._think(ctx, user_id, text.clean(said).strip())
                me = accounts.own(ctx.tx, BOTFATHER_ID)
                access_hash = render.access_hash(me.access_secret, user_id)
            self._world.call(
                BOTFATHER_ID,
                api.messages.SendMessage(
                    peer=api.InputPeerUser(user_id=user_id, access_hash=access_hash),
                    message=reply.text,
                    random_id=int.from_bytes(self._world.random(8), "little", signed=True) | 1,
                    entities=_entities(reply),
                    reply_markup=_keyboard(reply),
                ),
            )
        except RpcFault as error:  # whoever wrote has blocked it or is gone
            log.info("BotFather could not answer %d: %s", user_id, error)

    # -------------------------------------------------------------- the talk

    def _think(self, ctx: Context, user_id: int, said: str) -> _Reply:
        talk = self._talks.pop(user_id, None)
        command, _, rest = said.partition(" ")
        command = command.casefold().partition("@")[0]
        if command in ("/start", "/help"):
            return _Reply(HELP)
        if command == "/newbot":
            return self._begin(ctx, user_id)
        if command == "/mybots":
            return self._list(ctx, user_id)
        if command in ("/token", "/revoke"):
            return self._about(ctx, user_id, command, rest)
        if command == "/cancel":
            return _Reply("Dropped." if talk else "There is nothing to drop.")
        if talk is None or command.startswith("/"):
            return _Reply(f"I do not know what to do with that.\n\n{HELP}")
        if talk.asked == "name":
            return self._name(user_id, said)
        if talk.asked == "username":
            return self._make(ctx, user_id, talk.name, said)
        return self._about(ctx, user_id, talk.asked, said)

    def _ask(self, user_id: int, talk: _Talk) -> None:
        self._talks[user_id] = talk
        if len(self._talks) > TALKS_KEPT:
            del self._talks[next(iter(self._talks))]

    def _begin(self, ctx: Context, user_id: int) -> _Reply:
        count = ctx.tx.execute(
            select(func.count()).select_from(users).where(users.c.owner_id == user_id)
        ).scalar_one()
        if count >= self._world.settings.bots_per_owner:
            return _Reply(f"You have {count} bots, and more than that nobody gets.")
        self._ask(user_id, _Talk("name"))
        return _Reply("A new bot, then. What shall people see as its name?")

    def _name(self, user_id: int, said: str) -> _Reply:
        name = " ".join(said.split())
        if not 1 <= len(name) <= MAX_NAME:
            self._ask(user_id, _Talk("name"))
            return _Reply(f"A name has 1 to {MAX_NAME} characters. Try another.")
        self._ask(user_id, _Talk("username", name))
        return _Reply("And its username? It has to end in `bot`, like PlantBot or plant_bot.")

    def _make(self, ctx: Context, user_id: int, name: str, said: str) -> _Reply:
        username = said.removeprefix("@")
        refusal = _refusal(ctx, username)
        if refusal:
            self._ask(user_id, _Talk("username", name))
            return _Reply(refusal)
        bot_id = accounts.create(
            ctx.tx,
            now=ctx.now,
            random=self._world.random,
            first_name=name,
            username=username,
            is_bot=True,
            dc_id=accounts.own(ctx.tx, user_id).dc_id,
        )
        token = accounts.new_token(bot_id, self._world.random)
        self._world.change_account(ctx.tx, bot_id, bot_token=token, owner_id=user_id)
        return _Reply(
            f"Done: your bot is at t.me/{username}. Its token, which opens it to whoever has it:"
            f"\n{token}",
            token=token,
        )

    def _list(self, ctx: Context, user_id: int) -> _Reply:
        bots = _bots_of(ctx, user_id)
        if not bots:
            return _Reply("You have no bots yet. Make one with /newbot.")
        lines = [f"@{bot.username} - {bot.first_name}" for bot in bots]
        return _Reply("Your bots:\n" + "\n".join(lines))

    def _about(self, ctx: Context, user_id: int, command: str, said: str) -> _Reply:
        bots = {bot.username.casefold(): bot for bot in _bots_of(ctx, user_id)}
        if not bots:
            return _Reply("You have no bots yet. Make one with /newbot.")
        bot = bots.get(said.strip().removeprefix("@").casefold())
        if bot is None:
            self._ask(user_id, _Talk(command))
            question = "That is none of your bots. Which one?" if said.strip() else "Which bot?"
            return _Reply(question, choices=tuple(f"@{bot.username}" for bot in bots.values()))
        if command == "/token":
            return _Reply(f"The token of @{bot.username}:\n{bot.bot_token}", token=bot.bot_token)
        token = accounts.new_token(bot.id, self._world.random)
        ctx.tx.execute(insert(revoked_tokens).values(token=bot.bot_token))
        self._world.change_account(ctx.tx, bot.id, bot_token=token)
        self._world.authorizations.log_out_all(ctx, bot.id, "SESSION_REVOKED")
        return _Reply(
            f"The old token of @{bot.username} opens nothing any more. The new one:\n{token}",
            token=token,
        )


def _bots_of(ctx: Context, user_id: int) -> list[Row[Any]]:
    return list(
        ctx.tx.execute(
            select(users)
            .where(users.c.owner_id == user_id, ~users.c.deleted)
            .order_by(users.c.created, users.c.id)
        )
    )


def _refusal(ctx: Context, username: str) -> str:
    """Say why a bot cannot have a username; nothing if it can."""
    if not accounts.is_username(username):
        return (
            "A username has 5 to 32 letters, digits and underscores, and begins with a letter."
            " Try another."
        )
    if not username.casefold().endswith("bot"):
        return "The username of a bot ends in `bot`, like PlantBot or plant_bot. Try another."
    if usernames.owner(ctx.tx, username) is not None:
        return "Somebody has that username already. Try another."
    return ""


def _entities(reply: _Reply) -> list[api.TypeMessageEntity] | None:
    if not reply.token:
        return None
    before = reply.text[: reply.text.rindex(reply.token)]
    offset = len(before.encode("utf-16-le")) // 2
    return [api.MessageEntityCode(offset=offset, length=len(reply.token))]


def _keyboard(reply: _Reply) -> api.TypeReplyMarkup | None:
    if not reply.choices:
        return None
    return api.ReplyKeyboardMarkup(
        resize=True,
        single_use=True,
        rows=[
            api.KeyboardButtonRow(
                buttons=[api.KeyboardButton(text=choice, type=api.ButtonTypeDefault())]
            )
            for choice in reply.choices
        ],
    )
