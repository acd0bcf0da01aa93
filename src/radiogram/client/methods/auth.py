"""Layer 4, client: signing in, signing up, signing out.

Knows the order of auth.* calls. Must not know connections or peers.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from radiogram import errors
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.user import User

Code = str | int | Callable[[], str | int | Awaitable[str | int]]
"""A login code, or a function that gets it when it is needed."""

MAX_TRIES = 3
"""How often a person, or a function, may give a wrong code."""


async def start(
    client: TelegramClient,
    *,
    phone: str | None = None,
    code: Code | None = None,
    bot_token: str | None = None,
    first_name: str | None = None,
    last_name: str = "",
) -> User:
    """Connect, and sign in if nobody is; a number that is new is signed up.

    `code` is the login code, or a function (plain or async) that is called for it once it was sent.
    What is needed and not given is asked on the terminal; without a terminal that is a ClientError
    which names the missing argument. Gives the account's own user.
    """
    await client.connect()
    me = await _who_am_i(client)
    if me is not None:
        return me
    if bot_token is not None:
        return await sign_in_bot(client, bot_token)
    if phone is None:
        phone = await _ask("phone", "Phone number in international form: ")
    sent = await send_code(client, phone)
    if isinstance(sent, api.auth.SentCodeSuccess):
        return _signed_in(client, sent.authorization)
    if not isinstance(sent, api.auth.SentCode):
        raise errors.ClientError(
            f"signing in by {sent.TL_NAME} is not supported; raw requests can do it"
        )
    code_hash = sent.phone_code_hash
    if await _enter_code(client, phone, code_hash, code):
        return await get_me(client)
    if first_name is None:
        first_name = await _ask("first_name", f"{phone} is new to Telegram. First name: ")
    return await sign_up(client, phone, code_hash, first_name, last_name)


async def send_code(client: TelegramClient, phone: str) -> api.auth.TypeSentCode:
    """Have a login code sent to a phone number (international form)."""
    return await client.invoke(
        api.auth.SendCode(
            phone_number=phone,
            api_id=client.api_id,
            api_hash=client.api_hash,
            settings=api.CodeSettings(),
        )
    )


async def sign_in(
    client: TelegramClient, phone: str, code: str | int, phone_code_hash: str
) -> User | None:
    """Sign in with the code that :func:`send_code` had sent.

    Gives the user, or None when the code is right but the number has no account yet: then
    :func:`sign_up` with the same hash makes one. Raises PhoneCodeInvalid, PhoneCodeExpired, and
    SessionPasswordNeeded for an account with a password of its own.
    """
    try:
        result = await client.invoke(
            api.auth.SignIn(
                phone_number=phone, phone_code_hash=phone_code_hash, phone_code=str(code)
            )
        )
    except errors.RpcError as error:
        if error.name == "PHONE_NUMBER_UNOCCUPIED":  # what older servers say (C1)
            return None
        raise
    if isinstance(result, api.auth.AuthorizationSignUpRequired):
        return None
    return _signed_in(client, result)


async def sign_up(
    client: TelegramClient, phone: str, phone_code_hash: str, first_name: str, last_name: str = ""
) -> User:
    """Make an account for a number whose code was right."""
    result = await client.invoke(
        api.auth.SignUp(
            phone_number=phone,
            phone_code_hash=phone_code_hash,
            first_name=first_name,
            last_name=last_name,
        )
    )
    return _signed_in(client, result)


async def sign_in_bot(client: TelegramClient, bot_token: str) -> User:
    """Sign in as a bot, with the token that BotFather gave."""
    result = await client.invoke(
        api.auth.ImportBotAuthorization(
            flags=0, api_id=client.api_id, api_hash=client.api_hash, bot_auth_token=bot_token
        )
    )
    return _signed_in(client, result)


async def log_out(client: TelegramClient) -> None:
    """Sign out, disconnect, and drop the key and everything else from the session."""
    await client.invoke(api.auth.LogOut())
    await client.disconnect()
    client.session.forget()


async def is_authorized(client: TelegramClient) -> bool:
    """Ask the server whether somebody is signed in."""
    return await _who_am_i(client) is not None


async def get_me(client: TelegramClient) -> User:
    """Fetch the account's own user. Raises an Unauthorized error when nobody is signed in."""
    users = await client.invoke(api.users.GetUsers(id=[api.InputUserSelf()]))
    if not users or not isinstance(users[0], api.User):
        raise errors.ClientError("the server did not tell who this account is")
    return _remember(client, users[0])


async def _who_am_i(client: TelegramClient) -> User | None:
    try:
        return await get_me(client)
    except errors.Unauthorized as error:
        if error.name != "AUTH_KEY_UNREGISTERED":
            raise
    if client.session.data.user_id:
        # That ended the session of whoever was signed in; the key is still good for a new login.
        client.session.data = replace(client.session.data, user_id=0, is_bot=False)
        await client.connect()
    return None


async def _enter_code(
    client: TelegramClient, phone: str, code_hash: str, code: Code | None
) -> bool:
    """Sign in with a code from wherever codes come; False if the number is new."""
    tries = MAX_TRIES if code is None or callable(code) else 1
    while True:
        value = await _read_code(phone, code)
        try:
            return await sign_in(client, phone, value, code_hash) is not None
        except errors.RpcError as error:
            tries -= 1
            if error.name not in {"PHONE_CODE_INVALID", "PHONE_CODE_EMPTY"} or tries == 0:
                raise


async def _read_code(phone: str, code: Code | None) -> str | int:
    if code is None:
        return await _ask("code", f"Login code sent to {phone}: ")
    if not callable(code):
        return code
    value = code()
    return await value if inspect.isawaitable(value) else value


async def _ask(argument: str, prompt: str) -> str:
    """Ask on the terminal, without stopping the event loop."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise errors.ClientError(f"start() needs {argument}=, and there is no terminal to ask on")
    while True:
        try:
            answer = (await asyncio.to_thread(input, prompt)).strip()
        except EOFError:
            raise errors.ClientError(
                f"start() needs {argument}=, and the terminal was closed"
            ) from None
        if answer:
            return answer


def _signed_in(client: TelegramClient, authorization: api.auth.TypeAuthorization) -> User:
    if not isinstance(authorization, api.auth.Authorization) or not isinstance(
        authorization.user, api.User
    ):
        raise errors.ClientError(
            f"the server answered the login with {authorization.TL_NAME}, without a user"
        )
    return _remember(client, authorization.user)


def _remember(client: TelegramClient, user: api.User) -> User:
    from radiogram.client.objects.user import User

    data = client.session.data
    if (data.user_id, data.is_bot) != (user.id, user.bot):
        client.session.data = replace(data, user_id=user.id, is_bot=user.bot)
    client.updates.run()
    return User(client, user)
