"""Layer 4, client: the logins of an account, and its end.

Knows account.* calls about sessions. Must not know connections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from radiogram import errors
from radiogram.client.asking import Answer, Question
from radiogram.client.methods import two_step
from radiogram.client.methods.auth import WRONG_LOGIN_CODE, leave
from radiogram.client.methods.me import who_am_i
from radiogram.tl import api
from radiogram.tl.base import Request

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.login import LoginSession
    from radiogram.client.objects.user import User
    from radiogram.client.qr import QrLogin


async def get_sessions(client: TelegramClient) -> list[LoginSession]:
    """List where this account is signed in, this session first if the server has it so."""
    from radiogram.client.objects.login import LoginSession

    result = await client.invoke(api.account.GetAuthorizations())
    return [LoginSession(client, one) for one in result.authorizations]


async def end_session(client: TelegramClient, session: LoginSession | int) -> None:
    """Log out another session of this account, given itself or by its id.

    Raises HashInvalid if there is none, FreshResetAuthorisationForbidden in the first day of this
    session.
    """
    number = session if isinstance(session, int) else session.id
    if number == 0:
        raise errors.ClientError("end_session() ends other sessions; log_out() ends this one")
    await client.invoke(api.account.ResetAuthorization(hash=number))


async def end_other_sessions(client: TelegramClient) -> None:
    """Log out all sessions of this account but this one."""
    await client.invoke(api.auth.ResetAuthorizations())


def qr_login(
    client: TelegramClient,
    *,
    password: Answer | None = None,
    show: Callable[[str], object] | None = None,
    except_ids: Sequence[int] = (),
) -> QrLogin:
    """Sign in by a QR code that a signed-in device scans: ``async with client.qr_login() as qr``.

    ``qr.url`` is what the code holds, ``await qr.wait()`` gives the user. `show` is called with
    each url; `password` is as of start(); accounts in `except_ids` may not accept.
    """
    from radiogram.client.qr import QrLogin

    return QrLogin(client, password=password, show=show, except_ids=except_ids)


async def accept_qr(client: TelegramClient, url_or_token: str | bytes) -> LoginSession:
    """Let somebody else's QR login in, as this account; gives the new session.

    Takes the link that the code holds, or the token. Raises AuthTokenExpired, AuthTokenInvalid,
    AuthTokenAlreadyAccepted; ClientError for something that is no login link.
    """
    from radiogram.client.objects.login import LoginSession
    from radiogram.client.qr import read_token

    token = read_token(url_or_token)
    return LoginSession(client, await client.invoke(api.auth.AcceptLoginToken(token=token)))


async def change_phone(client: TelegramClient, phone: str, code: Answer | None = None) -> User:
    """Give this account another phone number (international form); gives its user as it is now.

    A login code is sent to the new number: `code` is a function for it, as of start(); without it
    it is asked for on the terminal. Raises PhoneNumberOccupied for a number that has an account,
    FreshChangePhoneForbidden in the first day of this session.
    """
    from radiogram.client.objects.login import LoginCode
    from radiogram.client.objects.user import User

    sent = await client.invoke(
        api.account.SendChangePhoneCode(phone_number=phone, settings=api.CodeSettings())
    )
    if not isinstance(sent, api.auth.SentCode):
        raise errors.ClientError(f"a code by {sent.TL_NAME} is not supported; raw requests can")
    known = LoginCode(client, sent, phone)

    async def change(value: str) -> User:
        result = await client.invoke(
            api.account.ChangePhone(
                phone_number=phone, phone_code_hash=known.phone_code_hash, phone_code=value
            )
        )
        if not isinstance(result, api.User):
            raise errors.ClientError(f"the server answered with {result.TL_NAME}, without a user")
        return User(client, result)

    question = Question("change_phone(code=)", code, f"Code, sent to {phone} {known.where}: ")
    return await question.attempt(change, wrong=WRONG_LOGIN_CODE, about=known)


async def delete_account(
    client: TelegramClient, *, phone: str, reason: str = "", password: Answer | None = None
) -> None:
    """Delete this account with all it has, for ever; then disconnect and forget the session.

    `phone` must be the account's own number, so that no slip deletes another one. An account with
    a password needs it. Without it, or where a login has come only as far as the password, Telegram
    waits a week: that is TwoFaConfirmWait, and its owner can stop it.
    """
    digits = "".join(character for character in phone if character.isdecimal())
    me = await who_am_i(client)
    if me is not None and (me.is_bot or me.phone != digits):
        raise errors.ClientError(
            "delete_account(phone=) is not the number of the account that is signed in; nothing "
            "was deleted"
        )
    if not digits:
        raise errors.ClientError("delete_account(phone=) must be the account's own number")
    if password is None:
        await client.invoke(api.account.DeleteAccount(reason=reason))
    else:
        await _delete_with_password(client, reason, password)
    await leave(client)


async def _delete_with_password(client: TelegramClient, reason: str, password: Answer) -> None:
    async def make(proof: Any, state: api.account.Password) -> Request[bool]:
        return api.account.DeleteAccount(reason=reason, password=proof)

    await Question("delete_account(password=)", password, "").attempt(
        lambda value: two_step.with_proof(client, value, make), wrong=two_step.WRONG_PASSWORD
    )
