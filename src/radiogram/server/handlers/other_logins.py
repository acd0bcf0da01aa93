"""Server layer: ways of logging in that this server does not play: e-mail, passkeys, the web (C1).

Each method gives the error with which the API says that an account has no such thing, so that a
client goes on to a way that works.
"""

from __future__ import annotations

from radiogram.server.handlers.auth import check_api_id
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.tl import api

# ------------------------------------------------------------------ e-mail


@handles(api.account.SendVerifyEmailCode, bots=False, login=False)
def send_verify_email_code(ctx: Context, request: api.account.SendVerifyEmailCode) -> None:
    """Answer EMAIL_NOT_SETUP to a change of the login e-mail, EMAIL_NOT_ALLOWED to the rest."""
    changes = isinstance(request.purpose, api.EmailVerifyPurposeLoginChange)
    raise RpcFault(400, "EMAIL_NOT_SETUP" if changes else "EMAIL_NOT_ALLOWED")


@handles(api.account.VerifyEmail, bots=False, login=False)
def verify_email(ctx: Context, request: api.account.VerifyEmail) -> None:
    """Answer EMAIL_VERIFY_EXPIRED: no code was sent."""
    raise RpcFault(400, "EMAIL_VERIFY_EXPIRED")


@handles(api.auth.ResetLoginEmail, bots=False, login=False)
def reset_login_email(ctx: Context, request: api.auth.ResetLoginEmail) -> None:
    """Answer EMAIL_INSTALL_MISSING: there is no login e-mail to reset."""
    raise RpcFault(400, "EMAIL_INSTALL_MISSING")


# ------------------------------------------------------------------ passkeys


@handles(api.auth.InitPasskeyLogin, bots=False, login=False)
def init_passkey_login(ctx: Context, request: api.auth.InitPasskeyLogin) -> None:
    """Answer PASSKEY_CREDENTIAL_NOT_FOUND: nobody has a passkey."""
    check_api_id(ctx, request.api_id)
    raise RpcFault(400, "PASSKEY_CREDENTIAL_NOT_FOUND")


@handles(api.auth.FinishPasskeyLogin, bots=False, login=False)
def finish_passkey_login(ctx: Context, request: api.auth.FinishPasskeyLogin) -> None:
    """Answer CREDENTIAL_INVALID."""
    raise RpcFault(400, "CREDENTIAL_INVALID")


@handles(api.account.InitPasskeyRegistration, bots=False)
def init_passkey_registration(ctx: Context, request: api.account.InitPasskeyRegistration) -> None:
    """Answer ACCESS_DENIED: accounts of this server cannot have passkeys."""
    raise RpcFault(403, "ACCESS_DENIED")


@handles(api.account.RegisterPasskey, bots=False)
def register_passkey(ctx: Context, request: api.account.RegisterPasskey) -> None:
    """Answer CREDENTIAL_INVALID: no registration was begun."""
    raise RpcFault(400, "CREDENTIAL_INVALID")


@handles(api.account.GetPasskeys, bots=False)
def get_passkeys(ctx: Context, request: api.account.GetPasskeys) -> api.account.Passkeys:
    return api.account.Passkeys(passkeys=[])


@handles(api.account.DeletePasskey, bots=False)
def delete_passkey(ctx: Context, request: api.account.DeletePasskey) -> None:
    """Answer PASSKEY_CREDENTIAL_NOT_FOUND."""
    raise RpcFault(400, "PASSKEY_CREDENTIAL_NOT_FOUND")


# ------------------------------------------------------------------ the web


@handles(api.auth.ImportWebTokenAuthorization, bots=False, login=False)
def import_web_token_authorization(
    ctx: Context, request: api.auth.ImportWebTokenAuthorization
) -> None:
    """Answer WEBAUTH_TOKEN_EXPIRED: no web page gives out tokens."""
    check_api_id(ctx, request.api_id)
    raise RpcFault(400, "WEBAUTH_TOKEN_EXPIRED")
