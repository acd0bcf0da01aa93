"""Layer 4, client: two-step verification: the password, and the e-mail address that recovers it.

Knows which proof goes with which call. Must not know how a proof is computed: that is
:mod:`radiogram.client.proofs`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from radiogram import errors
from radiogram.client.asking import Answer, Question, has_terminal
from radiogram.client.methods.me import signed_in
from radiogram.client.proofs import KNOWN_ALGO, algo, prove
from radiogram.tl import api
from radiogram.tl.base import Request

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.login import TwoStep, TwoStepReset
    from radiogram.client.objects.user import User

R = TypeVar("R")

WRONG_PASSWORD = {"PASSWORD_HASH_INVALID", "PASSWORD_EMPTY"}
WRONG_CODE = {"CODE_INVALID", "CODE_EMPTY", "EMAIL_VERIFY_CODE_INVALID"}
_STALE = {"SRP_ID_INVALID", "SRP_PASSWORD_CHANGED"}
"""The question was too old for this answer: there is a new one."""


async def get_two_step(client: TelegramClient) -> TwoStep:
    """Tell whether a login needs a password, its hint, and what is under way."""
    from radiogram.client.objects.login import TwoStep

    return TwoStep(client, await client.invoke(api.account.GetPassword()))


async def edit_two_step(
    client: TelegramClient,
    current: Answer | None = None,
    new: Answer | None = None,
    *,
    hint: str = "",
    email: str | None = None,
    email_code: Answer | None = None,
) -> TwoStep:
    """Set, change or remove the password of two-step verification, or its e-mail address.

    `current` is the password that there is; `new` the one to be, "" removes it, None leaves it.
    `hint` goes with a new password. `email` recovers a forgotten one; Telegram sends it a code
    first, and `email_code` is that code or a function for it. Without a code the change waits:
    see `unconfirmed_email` of what is given, and :func:`confirm_two_step_email`.

    What is needed and missing is asked on the terminal. Raises ClientError when there is none, or
    nothing to do; PasswordHashInvalid; SecurityError for a server whose numbers are not safe.
    """
    before = await get_two_step(client)
    if isinstance(new, str) and not new and not before.is_on:
        raise errors.ClientError("edit_two_step(new=''): there is no password to remove")
    if new is None and email is None:
        raise errors.ClientError(
            "edit_two_step() has nothing to do; give new= (a password, or '' to remove it) or "
            "email="
        )
    if new is None and not before.is_on:
        raise errors.ClientError("edit_two_step(email=) needs a password first; give new= too")
    wanted = None if new is None else await _value(new)

    async def change(password: str) -> None:
        await with_proof(client, password, update)

    async def update(proof: Any, state: api.account.Password) -> Request[bool]:
        settings = await _settings(client, state, wanted, hint, email)
        return api.account.UpdatePasswordSettings(password=proof, new_settings=settings)

    try:
        if before.is_on:
            question = Question(
                "edit_two_step(current=)", current, "Current password: ", secret=True
            )
            await question.attempt(change, wrong=WRONG_PASSWORD, about=before)
        else:
            await change("")
    except errors.RpcError as error:
        if not error.name.startswith("EMAIL_UNCONFIRMED"):
            raise
        await _confirm(client, email_code, error.value)
    return await get_two_step(client)


async def confirm_two_step_email(client: TelegramClient, code: str | int) -> TwoStep:
    """Confirm the e-mail address with the code that came there. Raises CodeInvalid."""
    await client.invoke(api.account.ConfirmPasswordEmail(code=str(code)))
    return await get_two_step(client)


async def resend_two_step_email(client: TelegramClient) -> None:
    """Have the code for an unconfirmed e-mail address sent again."""
    await client.invoke(api.account.ResendPasswordEmail())


async def cancel_two_step_email(client: TelegramClient) -> TwoStep:
    """Give up an e-mail address that was not confirmed yet."""
    await client.invoke(api.account.CancelPasswordEmail())
    return await get_two_step(client)


async def request_recovery(client: TelegramClient) -> str:
    """Have a code sent to the e-mail address that recovers the password; gives its pattern.

    Works signed in, and when a login has come as far as the password. Raises PasswordRecoveryNa
    when no address was confirmed: then :func:`reset_two_step` or a deletion is what is left.
    """
    sent = await client.invoke(api.auth.RequestPasswordRecovery())
    return sent.email_pattern


async def recover_two_step(
    client: TelegramClient, code: Answer | None = None, new: str = "", *, hint: str = ""
) -> User:
    """Replace a forgotten password, with the code that :func:`request_recovery` had sent.

    `new` is the password from now on; empty, there is none any more. Signs in, if that was what
    the password was wanted for. A missing code is asked on the terminal. Raises CodeInvalid.
    """
    question = Question("recover_two_step(code=)", code, "Recovery code from the e-mail: ")

    async def check(value: str) -> str:
        await client.invoke(api.auth.CheckRecoveryPassword(code=value))
        return value

    right = await question.attempt(check, wrong=WRONG_CODE)
    settings = None
    if new:
        state = await client.invoke(api.account.GetPassword())
        settings = await _settings(client, state, new, hint, None)
    result = await client.invoke(api.auth.RecoverPassword(code=right, new_settings=settings))
    return signed_in(client, result)


async def reset_two_step(client: TelegramClient) -> TwoStepReset:
    """Ask for the password to be taken away without knowing it, which takes a week.

    Only a session that is signed in may. Ask again when `at` has come: then it is done.
    """
    from radiogram.client.objects.base import moment
    from radiogram.client.objects.login import TwoStepReset

    result = await client.invoke(api.account.ResetPassword())
    if isinstance(result, api.account.ResetPasswordRequestedWait):
        return TwoStepReset(done=False, at=moment(result.until_date))
    if isinstance(result, api.account.ResetPasswordFailedWait):
        return TwoStepReset(done=False, refused_until=moment(result.retry_date))
    return TwoStepReset(done=True)


async def cancel_two_step_reset(client: TelegramClient) -> None:
    """Withdraw the wish of :func:`reset_two_step`, or refuse somebody else's."""
    await client.invoke(api.account.DeclinePasswordReset())


async def check_password(client: TelegramClient, password: str) -> User:
    """Give the password that a login has asked for. Raises PasswordHashInvalid."""

    async def check(proof: Any, state: api.account.Password) -> Request[Any]:
        return api.auth.CheckPassword(password=proof)

    return signed_in(client, await with_proof(client, password, check))


async def with_proof(
    client: TelegramClient,
    password: str,
    make: Callable[[Any, api.account.Password], Any],
) -> Any:
    """Invoke what `make` gives for a proof of the password, once more if the question was stale."""
    for last in (False, True):
        state = await client.invoke(api.account.GetPassword())
        request = await make(await prove(state, password, client.environment.random), state)
        try:
            return await client.invoke(request)
        except errors.RpcError as error:
            if last or error.name not in _STALE:
                raise
    raise AssertionError  # the second turn returns or raises


async def _settings(
    client: TelegramClient,
    state: api.account.Password,
    new: str | None,
    hint: str,
    email: str | None,
) -> api.account.PasswordInputSettings:
    if new is None:
        return api.account.PasswordInputSettings(email=email)
    if not new:
        return api.account.PasswordInputSettings(
            new_algo=api.PasswordKdfAlgoUnknown(), new_password_hash=b"", hint="", email=email
        )
    from radiogram.crypto import srp

    offered = algo(state.new_algo)
    salt1 = srp.new_salt(offered.salt1, client.environment.random)
    chosen = srp.Algo(salt1, offered.salt2, offered.g, offered.p)
    stored = await asyncio.to_thread(srp.new_verifier, chosen, new.encode())
    return api.account.PasswordInputSettings(
        new_algo=KNOWN_ALGO(
            salt1=salt1, salt2=chosen.salt2, g=chosen.g, p=chosen.p.to_bytes(256, "big")
        ),
        new_password_hash=stored,
        hint=hint,
        email=email,
    )


async def _confirm(client: TelegramClient, code: Answer | None, length: int | None) -> None:
    if code is None and not has_terminal():
        return
    digits = f" of {length} digits" if length else ""
    question = Question("edit_two_step(email_code=)", code, f"Code{digits} from the e-mail: ")

    async def confirm(value: str) -> None:
        await client.invoke(api.account.ConfirmPasswordEmail(code=value))

    await question.attempt(confirm, wrong=WRONG_CODE, about=length)


async def _value(answer: Answer) -> str:
    return await Question("new=", answer, "").ask()
