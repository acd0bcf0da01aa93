"""Server layer: the methods of two-step verification (C1.1).

Knows what a client may ask of its own password, logged in or stopped half-way. The rows and the
arithmetic are in :mod:`radiogram.server.passwords`.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Row

from radiogram.crypto.dh import SIZE
from radiogram.crypto.srp import Algo
from radiogram.server import logins, passwords, render, text
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.service import send_service_message
from radiogram.tl import api

MAX_HINT = 256
TMP_PASSWORD_SECONDS = (60, 86400)


def _user(ctx: Context) -> int:
    """Return the account that is meant: the caller's, or the one that waits for its password."""
    user_id = ctx.user_id or ctx.caller.authorization.pending_user_id
    if not user_id:
        raise RpcFault(401, "AUTH_KEY_UNREGISTERED")
    return user_id


# ------------------------------------------------------------------ what there is


@handles(api.account.GetPassword, bots=False, login=False)
def get_password(ctx: Context, request: api.account.GetPassword) -> api.account.Password:
    user_id = _user(ctx)
    row = passwords.load(ctx.tx, user_id)
    version = row.version if row is not None else 0
    answer: dict[str, Any] = {}
    if row is not None and passwords.is_set(row):
        srp_id, srp_b = ctx.world.password_checks.begin(user_id, row, ctx.world.clock.now())
        answer.update(
            has_password=True,
            has_recovery=row.email is not None,
            has_secure_values=row.secure is not None,
            current_algo=_algo(Algo(bytes(row.salt1), bytes(row.salt2))),
            srp_id=srp_id,
            srp_B=srp_b,
            hint=row.hint or None,
            pending_reset_date=row.reset_at,
        )
    if row is not None and row.waiting is not None:
        email = _waiting(row).email or ""
        answer["email_unconfirmed_pattern"] = passwords.email_pattern(email)
    return api.account.Password(
        new_algo=_algo(passwords.offered(ctx.tx, user_id, version)),
        new_secure_algo=api.SecurePasswordKdfAlgoPBKDF2HMACSHA512iter100000(
            salt=ctx.world.random(8)
        ),
        secure_random=ctx.world.random(256),
        **answer,
    )


def _algo(algo: Algo) -> api.TypePasswordKdfAlgo:
    return api.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        salt1=algo.salt1, salt2=algo.salt2, g=algo.g, p=algo.p.to_bytes(SIZE, "big")
    )


def _waiting(row: Row[Any]) -> api.account.PasswordInputSettings:
    return cast(api.account.PasswordInputSettings, render.decode(bytes(row.waiting)))


@handles(api.account.GetPasswordSettings, bots=False)
def get_password_settings(
    ctx: Context, request: api.account.GetPasswordSettings
) -> api.account.PasswordSettings:
    row = passwords.prove(ctx, ctx.user_id, request.password)
    if row is None or not passwords.is_set(row):
        return api.account.PasswordSettings()
    secure = row.secure
    return api.account.PasswordSettings(
        email=row.email,
        secure_settings=None
        if secure is None
        else cast(api.SecureSecretSettings, render.decode(bytes(secure))),
    )


@handles(api.account.GetTmpPassword, bots=False)
def get_tmp_password(ctx: Context, request: api.account.GetTmpPassword) -> api.account.TmpPassword:
    if not passwords.is_set(passwords.prove(ctx, ctx.user_id, request.password)):
        raise RpcFault(400, "TMP_PASSWORD_DISABLED")
    shortest, longest = TMP_PASSWORD_SECONDS
    return api.account.TmpPassword(
        tmp_password=ctx.world.random(16),
        valid_until=ctx.now + min(max(request.period, shortest), longest),
    )


# ------------------------------------------------------------------ changing it


@handles(api.account.UpdatePasswordSettings, bots=False)
def update_password_settings(ctx: Context, request: api.account.UpdatePasswordSettings) -> bool:
    row = passwords.prove(ctx, ctx.user_id, request.password)
    _change(ctx, ctx.user_id, row, request.new_settings)
    return True


def _change(
    ctx: Context,
    user_id: int,
    row: Row[Any] | None,
    new: api.account.PasswordInputSettings,
) -> None:
    """Do what a client wants of its password; a new address has to be confirmed before."""
    _check(ctx, user_id, row, new)
    email = passwords.check_email(new.email) if new.email else None
    if email is not None and (row is None or email != row.email):
        new = api.account.PasswordInputSettings(
            new_algo=new.new_algo,
            new_password_hash=new.new_password_hash,
            hint=new.hint,
            email=email,
            new_secure_settings=new.new_secure_settings,
        )
        code = _code(ctx)
        passwords.save(
            ctx.tx,
            user_id,
            waiting=render.encode(new),
            waiting_code=code,
            waiting_since=ctx.now,
        )
        _mail(ctx, email, code, "confirm")
        raise RpcFault(400, f"EMAIL_UNCONFIRMED_{len(code)}", keeps=True)
    _apply(ctx, user_id, new)


def _check(
    ctx: Context, user_id: int, row: Row[Any] | None, new: api.account.PasswordInputSettings
) -> None:
    version = row.version if row is not None else 0
    if new.new_algo is not None:
        passwords.check_new(ctx.tx, user_id, version, new)
    elif new.email is None and new.new_secure_settings is None:
        raise RpcFault(400, "NEW_SETTINGS_EMPTY")
    if not new.new_password_hash and not passwords.is_set(row):
        raise RpcFault(400, "NEW_SETTINGS_EMPTY")
    if len(new.hint or "") > MAX_HINT:
        raise RpcFault(400, "NEW_SETTINGS_INVALID")


def _apply(ctx: Context, user_id: int, new: api.account.PasswordInputSettings) -> None:
    """Put settings into force that were checked, and confirmed if they name an address."""
    if new.new_algo is not None and not new.new_password_hash:
        passwords.remove(ctx.tx, user_id)
        return
    values: dict[str, object] = dict(passwords.NOTHING_WAITS)
    algo = new.new_algo
    if isinstance(algo, api.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow):
        row = passwords.load(ctx.tx, user_id)
        values.update(
            version=(row.version if row is not None else 0) + 1,
            salt1=algo.salt1,
            salt2=algo.salt2,
            verifier=(new.new_password_hash or b"").rjust(SIZE, b"\0"),
            hint=text.clean(new.hint or ""),
            changed=ctx.now,
            reset_at=None,
        )
    if new.email is not None:
        values["email"] = new.email.strip() or None
    if new.new_secure_settings is not None:
        secret = new.new_secure_settings.secure_secret
        values["secure"] = render.encode(new.new_secure_settings) if secret else None
    passwords.save(ctx.tx, user_id, **values)


def _mail(ctx: Context, to: str, code: str, purpose: str) -> None:
    ctx.after_commit(lambda: ctx.world.send_mail(to, code, purpose))


# ------------------------------------------------------------------ the address


@handles(api.account.ConfirmPasswordEmail, bots=False)
def confirm_password_email(ctx: Context, request: api.account.ConfirmPasswordEmail) -> bool:
    row = _unconfirmed(ctx)
    _match_code(ctx, f"confirm {ctx.user_id}", request.code, row.waiting_code)
    new = _waiting(row)
    if new.new_algo is not None:
        # Another session may have changed the password meanwhile; then its salt is spent.
        passwords.check_new(ctx.tx, ctx.user_id, row.version, new)
    _apply(ctx, ctx.user_id, new)
    return True


@handles(api.account.ResendPasswordEmail, bots=False)
def resend_password_email(ctx: Context, request: api.account.ResendPasswordEmail) -> bool:
    row = _unconfirmed(ctx)
    code = _code(ctx)
    passwords.save(ctx.tx, ctx.user_id, waiting_code=code, waiting_since=ctx.now)
    ctx.world.code_attempts.pop(f"confirm {ctx.user_id}", None)
    _mail(ctx, _waiting(row).email or "", code, "confirm")
    return True


@handles(api.account.CancelPasswordEmail, bots=False)
def cancel_password_email(ctx: Context, request: api.account.CancelPasswordEmail) -> bool:
    _unconfirmed(ctx)
    passwords.save(ctx.tx, ctx.user_id, **passwords.NOTHING_WAITS)
    return True


def _unconfirmed(ctx: Context) -> Row[Any]:
    """Return the row of the caller whose settings wait for a code that is not too old."""
    row = passwords.load(ctx.tx, ctx.user_id)
    if row is None or row.waiting is None or _is_old(ctx, row.waiting_since):
        raise RpcFault(400, "EMAIL_HASH_EXPIRED")
    return row


def _code(ctx: Context) -> str:
    return ctx.world.settings.email_code or passwords.email_code(ctx.world.random)


def _is_old(ctx: Context, since: int) -> bool:
    return ctx.now >= since + ctx.world.settings.email_code_lifetime


def _match_code(ctx: Context, name: str, given: str, right: str) -> None:
    """Compare a code from an e-mail. Faults: CODE_EMPTY, CODE_INVALID."""
    if not given:
        raise RpcFault(400, "CODE_EMPTY")
    attempts = ctx.world.code_attempts
    failed = attempts.get(name, 0)
    if failed < ctx.world.settings.login_code_attempts and given.strip() == right:
        attempts.pop(name, None)
        return
    attempts[name] = failed + 1
    raise RpcFault(400, "CODE_INVALID")


# ------------------------------------------------------------------ logging in with it


@handles(api.auth.CheckPassword, bots=False, login=False)
def check_password(ctx: Context, request: api.auth.CheckPassword) -> api.auth.TypeAuthorization:
    user_id = _user(ctx)
    if isinstance(request.password, api.InputCheckPasswordEmpty):
        raise RpcFault(400, "PASSWORD_HASH_INVALID")
    passwords.prove(ctx, user_id, request.password)
    # Whoever knows the password did not want the account deleted, or its password reset.
    _call_off(ctx, user_id)
    if ctx.user_id:  # a repetition of a call that has succeeded already
        return logins.answer(ctx, user_id)
    return logins.log_in(ctx, user_id, proved=True)


def _call_off(ctx: Context, user_id: int) -> None:
    passwords.save(ctx.tx, user_id, reset_at=None)
    ctx.world.change_account(ctx.tx, user_id, deletion_at=None)


@handles(api.auth.RequestPasswordRecovery, bots=False, login=False)
def request_password_recovery(
    ctx: Context, request: api.auth.RequestPasswordRecovery
) -> api.auth.PasswordRecovery:
    user_id = _user(ctx)
    row = passwords.load(ctx.tx, user_id)
    if row is None or not passwords.is_set(row):
        raise RpcFault(400, "PASSWORD_EMPTY")
    if row.email is None:
        raise RpcFault(400, "PASSWORD_RECOVERY_NA")
    code = _code(ctx)
    passwords.save(ctx.tx, user_id, recovery_code=code, recovery_since=ctx.now)
    ctx.world.code_attempts.pop(f"recover {user_id}", None)
    _mail(ctx, row.email, code, "recover")
    return api.auth.PasswordRecovery(email_pattern=passwords.email_pattern(row.email))


@handles(api.auth.CheckRecoveryPassword, bots=False, login=False)
def check_recovery_password(ctx: Context, request: api.auth.CheckRecoveryPassword) -> bool:
    _check_recovery(ctx, _user(ctx), request.code)
    return True


def _check_recovery(ctx: Context, user_id: int, code: str) -> Row[Any]:
    if not code:
        raise RpcFault(400, "CODE_EMPTY")
    row = passwords.load(ctx.tx, user_id)
    if row is None or row.recovery_code is None or _is_old(ctx, row.recovery_since):
        raise RpcFault(400, "PASSWORD_RECOVERY_EXPIRED")
    _match_code(ctx, f"recover {user_id}", code, row.recovery_code)
    return row


@handles(api.auth.RecoverPassword, bots=False, login=False)
def recover_password(ctx: Context, request: api.auth.RecoverPassword) -> api.auth.TypeAuthorization:
    user_id = _user(ctx)
    row = _check_recovery(ctx, user_id, request.code)
    new = request.new_settings
    if new is None or not new.new_password_hash:
        passwords.remove(ctx.tx, user_id)
    else:
        if new.email is not None and new.email != row.email:
            raise RpcFault(400, "NEW_SETTINGS_INVALID")
        _check(ctx, user_id, row, new)
        _apply(ctx, user_id, new)
        passwords.save(ctx.tx, user_id, recovery_code=None, recovery_since=None)
    _call_off(ctx, user_id)
    if ctx.user_id:
        return logins.answer(ctx, user_id)
    return logins.log_in(ctx, user_id, proved=True)


# ------------------------------------------------------------------ without it


@handles(api.account.ResetPassword, bots=False)
def reset_password(
    ctx: Context, request: api.account.ResetPassword
) -> api.account.TypeResetPasswordResult:
    row = passwords.load(ctx.tx, ctx.user_id)
    if row is None or not passwords.is_set(row):
        raise RpcFault(400, "PASSWORD_EMPTY")
    wait = ctx.world.settings.password_reset_wait
    if row.reset_at is not None:
        if ctx.now < row.reset_at:
            return api.account.ResetPasswordRequestedWait(until_date=row.reset_at)
        passwords.remove(ctx.tx, ctx.user_id)
        return api.account.ResetPasswordOk()
    if row.reset_declined is not None and ctx.now < row.reset_declined + wait:
        return api.account.ResetPasswordFailedWait(retry_date=row.reset_declined + wait)
    passwords.save(ctx.tx, ctx.user_id, reset_at=ctx.now + wait, reset_declined=None)
    send_service_message(
        ctx,
        ctx.user_id,
        "Somebody who is logged in to your account has asked to reset its password. If that was"
        " not you, end the other session and decline the reset.",
    )
    return api.account.ResetPasswordRequestedWait(until_date=ctx.now + wait)


@handles(api.account.DeclinePasswordReset, bots=False)
def decline_password_reset(ctx: Context, request: api.account.DeclinePasswordReset) -> bool:
    row = passwords.load(ctx.tx, ctx.user_id)
    if row is None or row.reset_at is None:
        raise RpcFault(400, "RESET_REQUEST_MISSING")
    passwords.save(ctx.tx, ctx.user_id, reset_at=None, reset_declined=ctx.now)
    return True
