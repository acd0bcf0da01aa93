"""Server layer: account.*: an account gets another phone number (C1).

Knows who may take which number, and who hears of it. Codes are made and compared in
:mod:`radiogram.server.codes`.
"""

from __future__ import annotations

from radiogram.server import accounts, address_book, audience, codes, logins
from radiogram.server.handlers.authorizations import check_age
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.tl import api


@handles(api.account.SendChangePhoneCode, bots=False)
def send_change_phone_code(
    ctx: Context, request: api.account.SendChangePhoneCode
) -> api.auth.TypeSentCode:
    check_age(ctx, "FRESH_CHANGE_PHONE_FORBIDDEN")
    phone = _free(ctx, request.phone_number)
    return codes.send(ctx, phone, calls=codes.allowed_calls(request.settings))


@handles(api.account.ChangePhone, bots=False)
def change_phone(ctx: Context, request: api.account.ChangePhone) -> api.TypeUser:
    phone = _free(ctx, request.phone_number)
    if not request.phone_code:
        raise RpcFault(400, "PHONE_CODE_EMPTY")
    row = codes.find(ctx, phone, request.phone_code_hash)
    codes.check(ctx, row, request.phone_code)
    codes.set_state(ctx, row, "used")
    accounts.change(ctx.tx, ctx.user_id, phone=phone)
    address_book.joined(ctx, ctx.user_id, phone, quiet=True)
    audience.tell_phone(ctx, phone)
    return logins.answer(ctx, ctx.user_id).user


def _free(ctx: Context, given: str) -> str:
    """Return the digits of a number that the caller may take.

    Faults: PHONE_NUMBER_INVALID (406 here), PHONE_NUMBER_BANNED, PHONE_NUMBER_OCCUPIED.
    """
    phone = accounts.normalise_phone(given)
    if not phone or phone == accounts.SERVICE_PHONE:
        raise RpcFault(406, "PHONE_NUMBER_INVALID")
    if phone in ctx.world.settings.banned_numbers:
        raise RpcFault(400, "PHONE_NUMBER_BANNED")
    if accounts.by_phone(ctx.tx, phone) is not None:
        raise RpcFault(400, "PHONE_NUMBER_OCCUPIED")
    return phone
