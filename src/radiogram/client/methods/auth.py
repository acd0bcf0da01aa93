"""Layer 4, client: signing in, signing up, signing out.

Knows the order of auth.* calls. Must not know connections or peers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from radiogram import errors
from radiogram.client.asking import Answer, Question
from radiogram.client.methods import two_step
from radiogram.client.methods.me import keep_token, signed_in, who_am_i
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.login import LoginCode
    from radiogram.client.objects.user import User

_WRONG_PHONE = {"PHONE_NUMBER_INVALID"}
WRONG_LOGIN_CODE = {"PHONE_CODE_INVALID", "PHONE_CODE_EMPTY"}
_WRONG_NAME = {"FIRSTNAME_INVALID"}
AGAIN = "resend"
"""What a person types instead of a code to have it sent in another way."""
MAX_RESENDS = 5


async def start(
    client: TelegramClient,
    *,
    phone: Answer | None = None,
    code: Answer | None = None,
    password: Answer | None = None,
    bot_token: Answer | None = None,
    first_name: Answer | None = None,
    last_name: str = "",
) -> User:
    """Connect, and sign in if nobody is; a number that is new is signed up.

    Each value may be a function (plain or async) that is called when the value is needed, or an
    awaitable. A function for `code` may take one argument: the LoginCode, which tells how the code
    was sent and can have it sent again; one for `password` may take the TwoStep with its hint.
    Functions and persons may be wrong three times, a fixed value once.

    What is needed and not given is asked on the terminal, where a bot's token will do for a
    number, and "resend" for a code. Without a terminal that is a ClientError which names the
    missing argument. Gives the account's own user.
    """
    await client.connect()
    me = await who_am_i(client)
    if me is not None:
        return me
    if bot_token is not None:
        return await Question("start(bot_token=)", bot_token, "").attempt(
            lambda token: sign_in_bot(client, token), wrong={"ACCESS_TOKEN_INVALID"}
        )
    try:
        return await _by_phone(client, phone, code, first_name, last_name)
    except errors.RpcError as error:
        if error.name != "SESSION_PASSWORD_NEEDED":
            raise
    return await give_password(client, password)


async def give_password(
    client: TelegramClient, password: Answer | None, argument: str = "start(password=)"
) -> User:
    """End a login that has come as far as the password, wherever that comes from."""
    state = await two_step.get_two_step(client)
    hint = f" (hint: {state.hint})" if state.hint else ""
    question = Question(
        argument, password, f"Password of two-step verification{hint}: ", secret=True
    )
    return await question.attempt(
        lambda value: two_step.check_password(client, value),
        wrong=two_step.WRONG_PASSWORD,
        about=state,
    )


async def send_code(client: TelegramClient, phone: str) -> LoginCode:
    """Have a login code sent to a phone number (international form).

    Who has logged out here lately needs none: then `user` of what is given tells who is signed in.
    """
    request = api.auth.SendCode(
        phone_number=phone,
        api_id=client.api_id,
        api_hash=client.api_hash,
        settings=api.CodeSettings(logout_tokens=list(client.future_auth_tokens) or None),
    )
    try:
        sent = await client.invoke(request)
    except errors.RpcError as error:
        if error.name != "AUTH_RESTART":
            raise
        sent = await client.invoke(request)  # it says no more than that
    return _sent(client, phone, sent)


async def resend_code(client: TelegramClient, phone: str, phone_code_hash: str) -> LoginCode:
    """Have the code sent in the next way; the old one is not good any more.

    Raises SendCodeUnavailable if there is no other way, PhoneCodeExpired if it is too late.
    """
    sent = await client.invoke(
        api.auth.ResendCode(phone_number=phone, phone_code_hash=phone_code_hash)
    )
    return _sent(client, phone, sent)


async def cancel_code(client: TelegramClient, phone: str, phone_code_hash: str) -> None:
    """Make a code that was sent worthless."""
    await client.invoke(api.auth.CancelCode(phone_number=phone, phone_code_hash=phone_code_hash))


async def sign_in(
    client: TelegramClient,
    phone: str | None = None,
    code: str | int | None = None,
    phone_code_hash: str | None = None,
    *,
    password: str | None = None,
    by_email: bool = False,
) -> User | None:
    """Sign in with the code that :func:`send_code` had sent; then, if it is wanted, a password.

    Gives the user, or None when the code is right but the number has no account yet: then
    :func:`sign_up` with the same hash makes one. `by_email` tells that the code came by e-mail.
    Raises PhoneCodeInvalid, PhoneCodeExpired, and SessionPasswordNeeded for an account with a
    password of its own: call ``sign_in(password=...)`` next, which raises PasswordHashInvalid.
    """
    if password is not None and code is None:
        return await two_step.check_password(client, password)
    if phone is None or code is None or phone_code_hash is None:
        raise errors.ClientError(
            "sign_in() takes phone, code and phone_code_hash as send_code() gave it; or password="
        )
    text = str(code)
    try:
        result = await client.invoke(
            api.auth.SignIn(
                phone_number=phone,
                phone_code_hash=phone_code_hash,
                phone_code=None if by_email else text,
                email_verification=api.EmailVerificationCode(code=text) if by_email else None,
            )
        )
    except errors.RpcError as error:
        if error.name == "PHONE_NUMBER_UNOCCUPIED":  # what older servers say (C1)
            return None
        if error.name == "SESSION_PASSWORD_NEEDED" and password is not None:
            return await two_step.check_password(client, password)
        raise
    if isinstance(result, api.auth.AuthorizationSignUpRequired):
        return None
    return signed_in(client, result)


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
    return signed_in(client, result)


async def sign_in_bot(client: TelegramClient, bot_token: str) -> User:
    """Sign in as a bot, with the token that BotFather gave."""
    result = await client.invoke(
        api.auth.ImportBotAuthorization(
            flags=0, api_id=client.api_id, api_hash=client.api_hash, bot_auth_token=bot_token
        )
    )
    return signed_in(client, result)


async def log_out(client: TelegramClient) -> None:
    """Sign out, disconnect, and drop the key and everything else from the session.

    A token that signs the account in again without a code is kept in `future_auth_tokens`, if the
    server gave one: :func:`send_code` uses it.
    """
    result = await client.invoke(api.auth.LogOut())
    keep_token(client, result.future_auth_token)
    await leave(client)


async def leave(client: TelegramClient) -> None:
    """Disconnect, and forget the account."""
    await client.disconnect()
    client.session.forget()
    client.flood.clear()


# ── the steps of start() ─────────────────────────────────────────────────────────────────────────


async def _by_phone(
    client: TelegramClient,
    phone: Answer | None,
    code: Answer | None,
    first_name: Answer | None,
    last_name: str,
) -> User:
    from radiogram.client.objects.login import LoginCode

    number = Question("start(phone=)", phone, "Phone number in international form: ")

    async def begin(value: str) -> LoginCode | User:
        if number.on_terminal and ":" in value:
            return await sign_in_bot(client, value)
        return await send_code(client, value)

    sent = await number.attempt(begin, wrong=_WRONG_PHONE)
    if not isinstance(sent, LoginCode):
        return sent
    if sent.user is None:
        await _find_a_way(sent)
    if sent.user is not None:
        return sent.user
    me = await _enter_code(sent, Question("start(code=)", code, ""))
    if me is not None:
        return me
    name = Question(
        "start(first_name=)", first_name, f"{sent.phone} is new to Telegram. First name: "
    )
    return await name.attempt(lambda value: sent.sign_up(value, last_name), wrong=_WRONG_NAME)


async def _find_a_way(sent: LoginCode) -> None:
    """Have the code sent as somebody who has no official app can get it."""
    for _ in range(MAX_RESENDS):
        if sent.way == "set_up_email":
            raise errors.ClientError(
                "this account has to set up an e-mail address for logins first: do it once in an "
                "official app, then sign in here"
            )
        if sent.way != "firebase":
            return
        if sent.next_way is None:
            break
        await sent.resend()
    raise errors.ClientError(
        "the login code is sent to official apps only; sign in by QR code instead "
        "(client.qr_login())"
    )


async def _enter_code(sent: LoginCode, question: Question) -> User | None:
    """Sign in with a code from wherever codes come; None if the number is new."""
    left = question.tries
    resends = MAX_RESENDS
    complaint = ""
    while True:
        resend = f" ({AGAIN!r}: by {sent.next_way})" if sent.next_way else ""
        question.prompt = f"Login code, sent to {sent.phone} {sent.where}{resend}: "
        value = await question.ask(sent, complaint)
        complaint = ""
        try:
            if question.on_terminal and value.lower() == AGAIN and sent.next_way and resends:
                resends -= 1
                await sent.resend()
                continue
            return await sent.sign_in(value)
        except errors.RpcError as error:
            left -= 1
            if left <= 0 or error.name not in {*WRONG_LOGIN_CODE, "PHONE_CODE_EXPIRED"}:
                raise
            complaint = str(error).rpartition(" [")[0] + "\n"
            if error.name == "PHONE_CODE_EXPIRED":
                await sent.renew()
                complaint += "A new one was sent.\n"


def _sent(client: TelegramClient, phone: str, sent: api.auth.TypeSentCode) -> LoginCode:
    from radiogram.client.objects.login import LoginCode

    if isinstance(sent, api.auth.SentCodeSuccess):
        nothing = api.auth.SentCode(type=api.auth.SentCodeTypeApp(length=0), phone_code_hash="")
        return LoginCode(client, nothing, phone, signed_in(client, sent.authorization))
    if not isinstance(sent, api.auth.SentCode):
        raise errors.ClientError(
            f"signing in by {sent.TL_NAME} is not supported; raw requests can do it"
        )
    return LoginCode(client, sent, phone)
