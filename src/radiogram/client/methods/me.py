"""Layer 4, client: who this account is.

Knows how to find out, and what is noted down when somebody has signed in. Must not know how one
signs in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from radiogram import errors
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.user import User


async def is_authorized(client: TelegramClient) -> bool:
    """Ask the server whether somebody is signed in."""
    return await who_am_i(client) is not None


async def get_me(client: TelegramClient) -> User:
    """Fetch the account's own user. Raises an Unauthorized error when nobody is signed in."""
    users = await client.invoke(api.users.GetUsers(id=[api.InputUserSelf()]))
    if not users or not isinstance(users[0], api.User):
        raise errors.ClientError("the server did not tell who this account is")
    return _remember(client, users[0])


async def who_am_i(client: TelegramClient) -> User | None:
    """Fetch the account's own user; None when nobody is signed in, or only the password lacks."""
    try:
        return await get_me(client)
    except errors.Unauthorized as error:
        if error.name not in {"AUTH_KEY_UNREGISTERED", "SESSION_PASSWORD_NEEDED"}:
            raise
    if client.session.data.user_id:
        # That ended the session of whoever was signed in; the key is still good for a new login.
        client.session.data = replace(client.session.data, user_id=0, is_bot=False)
        await client.connect()
    return None


def signed_in(client: TelegramClient, authorization: object) -> User:
    """Note who has signed in, and give the user. Raises ClientError for an answer without one."""
    if not isinstance(authorization, api.auth.Authorization) or not isinstance(
        authorization.user, api.User
    ):
        name = getattr(authorization, "TL_NAME", type(authorization).__name__)
        raise errors.ClientError(f"the server answered the login with {name}, without a user")
    if authorization.future_auth_token is not None:
        keep_token(client, authorization.future_auth_token)
    return _remember(client, authorization.user)


def keep_token(client: TelegramClient, token: bytes | None) -> None:
    """Keep a token that signs this account in again without a code; the oldest make room."""
    if token:
        kept = [one for one in client.future_auth_tokens if one != token]
        client.future_auth_tokens = (*kept, token)[-MAX_TOKENS:]


MAX_TOKENS = 20
"""Tokens of earlier logins that auth.sendCode takes."""


def _remember(client: TelegramClient, user: api.User) -> User:
    from radiogram.client.objects.user import User

    data = client.session.data
    if (data.user_id, data.is_bot) != (user.id, user.bot):
        client.session.data = replace(data, user_id=user.id, is_bot=user.bot)
    client.updates.run()
    return User(client, user)
