"""A device with an auth key, called in process: what the tests of logging in play with."""

from __future__ import annotations

import os
from typing import Any

from radiogram.crypto.keys import AuthKey
from radiogram.server.dispatch import dispatch
from radiogram.server.rpc import Caller
from radiogram.server.world import World
from radiogram.tl import api
from radiogram.tl.base import Request
from radiogram.tl.build import registry


class Keyed(Caller):
    """One session of one key, without the protocol under it."""

    def __init__(
        self, world: World, *, layer: int = api.LAYER, initialise: bool = True, dc_id: int = 2
    ) -> None:
        self.world = world
        self.key = AuthKey(os.urandom(256))
        world.authorizations.add(self.key, dc_id=dc_id, first_salt=1, expires_at=None)
        authorization = world.authorizations.get(self.key.key_id)
        assert authorization is not None
        super().__init__(authorization, session_id=int.from_bytes(os.urandom(4), "little"))
        world.authorizations.attach(self, authorization)
        self.pushed: list[Any] = []
        self.speaks = registry(layer)
        if initialise:
            self.run(self.introduce(self.speaks.encode(api.help.GetConfig())))

    def introduce(self, query: bytes, **changes: Any) -> bytes:
        fields: dict[str, Any] = {
            "api_id": 1,
            "device_model": "Keyed",
            "system_version": "1",
            "app_version": "1",
            "system_lang_code": "en",
            "lang_pack": "",
            "lang_code": "en",
            "query": query,
        }
        init = api.InitConnection(**{**fields, **changes})
        return self.speaks.encode(
            api.InvokeWithLayer(layer=self.speaks.layer, query=self.speaks.encode(init))
        )

    def run(self, body: bytes) -> bytes:
        return dispatch(self.world, self, body)

    def call(self, request: Request[Any]) -> Any:
        return self.speaks.decode_result(request, self.run(self.speaks.encode(request)))

    def push(self, body: bytes) -> None:
        self.pushed.append(self.speaks.decode(body))

    def forget(self) -> None:
        """End the session, so that its key leaves the cache."""
        self.world.authorizations.detach(self, self.authorization)

    def send_code(self, phone: str) -> Any:
        return self.call(
            api.auth.SendCode(
                phone_number=phone, api_id=1, api_hash="x", settings=api.CodeSettings()
            )
        )
