"""What the tests of logging in do on a device: sign in, and prove and change a password."""

from __future__ import annotations

import os
from typing import Any

import pytest

from radiogram.crypto import srp
from radiogram.crypto.srp import Algo, ClientProof
from radiogram.server.rpc import RpcFault
from radiogram.tl import api

from .keyed import Keyed

PHONE = "9996621111"


def sign_in(device: Keyed, phone: str = PHONE) -> Any:
    sent = device.send_code(phone)
    return device.call(
        api.auth.SignIn(
            phone_number=phone,
            phone_code_hash=sent.phone_code_hash,
            phone_code=device.world.login_code(phone),
        )
    )


def refused(device: Keyed, request: Any) -> tuple[int, str]:
    with pytest.raises(RpcFault) as caught:
        device.call(request)
    return caught.value.code, caught.value.message


def algo_of(given: Any) -> Algo:
    return Algo.of(given.salt1, given.salt2, given.g, given.p)


def proof(device: Keyed, password: str) -> api.TypeInputCheckPasswordSRP:
    state = device.call(api.account.GetPassword())
    if not state.has_password:
        return api.InputCheckPasswordEmpty()
    made = ClientProof.check(
        algo_of(state.current_algo), state.srp_B, password.encode(), os.urandom
    )
    return api.InputCheckPasswordSRP(srp_id=state.srp_id, A=made.A, M1=made.M1)


def new_settings(device: Keyed, password: str, **more: Any) -> api.account.PasswordInputSettings:
    if not password:
        return api.account.PasswordInputSettings(
            new_algo=api.PasswordKdfAlgoUnknown(), new_password_hash=b"", hint="", **more
        )
    offered = algo_of(device.call(api.account.GetPassword()).new_algo)
    algo = Algo(srp.new_salt(offered.salt1, os.urandom), offered.salt2, offered.g, offered.p)
    return api.account.PasswordInputSettings(
        new_algo=api.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
            salt1=algo.salt1, salt2=algo.salt2, g=algo.g, p=algo.p.to_bytes(256, "big")
        ),
        new_password_hash=srp.new_verifier(algo, password.encode()),
        **{"hint": "", **more},
    )


def change(
    device: Keyed, before: str, after: str, **more: Any
) -> api.account.UpdatePasswordSettings:
    return api.account.UpdatePasswordSettings(
        password=proof(device, before), new_settings=new_settings(device, after, **more)
    )


def check(device: Keyed, password: str) -> api.auth.CheckPassword:
    return api.auth.CheckPassword(password=proof(device, password))
