"""Layer 4, client: a proof of the account's password, where a request wants one.

Knows what account.getPassword asks and how it is answered, with the arithmetic of
:mod:`radiogram.crypto.srp`, which also refuses a server whose numbers give something away. Must
not know what a proof is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from radiogram import errors
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.crypto.srp import Algo

KNOWN_ALGO = api.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow


class Password(msgspec.Struct, frozen=True):
    """A password as text, to be proved."""

    text: str


async def prove(
    state: api.account.Password, password: str, random: Callable[[int], bytes]
) -> api.TypeInputCheckPasswordSRP:
    """Answer what the server asked; a proof is good for one call.

    Where no password is set there is nothing to prove. Raises ClientError for a way of hashing
    that is not known, SecurityError for numbers that give something away.
    """
    from radiogram.crypto.srp import ClientProof

    if state.srp_B is None or state.srp_id is None:  # one flag has these and has_password
        return api.InputCheckPasswordEmpty()
    known = algo(state.current_algo)
    # A fifth of a second of arithmetic: the event loop goes on meanwhile.
    proof = await asyncio.to_thread(
        ClientProof.check, known, state.srp_B, password.encode(), random
    )
    return api.InputCheckPasswordSRP(srp_id=state.srp_id, A=proof.A, M1=proof.M1)


def algo(raw: Any) -> Algo:
    """Read how a password is hashed. Raises ClientError."""
    from radiogram.crypto.srp import Algo

    if not isinstance(raw, KNOWN_ALGO):
        name = getattr(raw, "TL_NAME", "nothing")
        raise errors.ClientError(
            f"the server hashes passwords in a way that is not known here ({name}); a newer "
            "version of Radiogram may know it"
        )
    return Algo.of(raw.salt1, raw.salt2, raw.g, raw.p)
