"""Layer 4, client: signing in by a QR code, which a device that is signed in scans.

Knows the life of a login token: it is shown, it expires and is replaced, somebody accepts it, the
account may live in another data centre, a password may be wanted. Must not know how a code is drawn
or read.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from radiogram import errors
from radiogram.client.methods.me import signed_in
from radiogram.tl import api

if TYPE_CHECKING:
    from typing import Self

    from radiogram.client.asking import Answer
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.user import User

_URL = re.compile(r"tg:(?://)?login\?(?:.*&)?token=([A-Za-z0-9_-]+={0,2})(?:&.*)?", re.DOTALL)
SHORTEST_LIFE, LONGEST_LIFE = 1.0, 60.0
"""Seconds that a token is shown, whatever a clock that is wrong says."""
MIN_TOKEN = 4
MAX_MOVES = 5


def token_url(token: bytes) -> str:
    """Return the link that a QR code of a login token holds."""
    return "tg://login?token=" + base64.urlsafe_b64encode(token).decode().rstrip("=")


def read_token(value: str | bytes) -> bytes:
    """Return the token of a scanned link, or of what stands in it. Raises ClientError."""
    if isinstance(value, bytes):
        return value
    match = _URL.fullmatch(value.strip())
    text = match[1] if match else value.strip()
    with contextlib.suppress(binascii.Error, ValueError):
        text = text.rstrip("=")
        token = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if len(token) >= MIN_TOKEN:
            return token
    raise errors.ClientError(
        "this is no login link: one looks like tg://login?token=..., and is what the QR code of a "
        "login holds"
    )


class QrLogin:
    """A login by QR code that is under way; made by ``client.qr_login()``.

    ::

        async with client.qr_login(show=print) as qr:
            me = await qr.wait()

    `show` is called with the link of each code, the first and those that replace it.
    """

    def __init__(
        self,
        client: TelegramClient,
        *,
        password: Answer | None = None,
        show: Callable[[str], object] | None = None,
        except_ids: Sequence[int] = (),
    ) -> None:
        self._client = client
        self._password = password
        self._show = show
        self._except_ids = list(except_ids)
        self._token = b""
        self._expires = 0.0
        self._user: User | None = None
        self._accepted = asyncio.Event()
        self._stop: Callable[[], None] | None = None

    def __repr__(self) -> str:
        state = "done" if self._user else "waiting" if self._token else "not begun"
        return f"<QrLogin {state}>"

    @property
    def token(self) -> bytes:
        """The token that is shown now."""
        return self._token

    @property
    def url(self) -> str:
        """The link for the QR code that is to be shown now."""
        return token_url(self._token)

    @property
    def expires(self) -> float:
        """Unix time until which it can be scanned; :meth:`wait` replaces it then."""
        return self._expires

    @property
    def user(self) -> User | None:
        """Who has signed in; None as long as nobody has."""
        return self._user

    async def __aenter__(self) -> Self:
        await self._client.connect()
        if self._client.session.data.user_id:
            raise errors.ClientError(
                "somebody is signed in already; log out first, or use another session"
            )
        self._stop = self._client.on_update(self._updated)
        try:
            await self.renew()
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._stop is not None:
            self._stop()

    async def renew(self) -> None:
        """Get a new token, or find out that the last one was accepted."""
        self._accepted.clear()
        try:
            answer: Any = await self._client.invoke(
                api.auth.ExportLoginToken(
                    api_id=self._client.api_id,
                    api_hash=self._client.api_hash,
                    except_ids=self._except_ids,
                )
            )
            for _ in range(MAX_MOVES):
                if not isinstance(answer, api.auth.LoginTokenMigrateTo):
                    break
                answer = await self._follow(answer)
        except errors.RpcError as error:
            if error.name != "SESSION_PASSWORD_NEEDED":
                raise
            await self._give_password()
            return
        if isinstance(answer, api.auth.LoginTokenSuccess):
            self._user = signed_in(self._client, answer.authorization)
        elif isinstance(answer, api.auth.LoginToken):
            fresh = answer.token != self._token
            self._token, self._expires = answer.token, float(answer.expires)
            if fresh and self._show is not None:
                self._show(self.url)
        else:
            raise errors.ClientError(
                f"the server sends this login from one data centre to the next ({MAX_MOVES} times)"
            )

    async def wait(self, timeout: float | None = None) -> User:
        """Wait until the code was accepted, replacing it whenever it expires; gives the user.

        A password that the account has is then got as by start(). Raises TimeoutError after
        `timeout` seconds, and what a refused password raises.
        """
        if self._stop is None:
            raise errors.ClientError("write `async with client.qr_login() as qr:` before wait()")
        async with asyncio.timeout(timeout):
            while self._user is None:
                await self._until_due()
                await self.renew()
        return self._user

    async def _follow(self, answer: api.auth.LoginTokenMigrateTo) -> Any:
        """Go where the account lives, and show the accepted token there."""
        if not await self._client.move(answer.dc_id):
            raise errors.ClientError(
                f"the account lives in DC {answer.dc_id}, and the server that was given is the "
                "only one known"
            )
        return await self._client.invoke(api.auth.ImportLoginToken(token=answer.token))

    async def _give_password(self) -> None:
        from radiogram.client.methods.auth import give_password

        self._user = await give_password(self._client, self._password, "qr_login(password=)")

    async def _until_due(self) -> None:
        """Wait until the token was accepted or is over."""
        environment = self._client.environment
        left = self._expires - environment.clock()
        left = min(max(left, SHORTEST_LIFE), LONGEST_LIFE)
        waits = [
            asyncio.ensure_future(environment.sleep(left)),
            asyncio.ensure_future(self._accepted.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    def _updated(self, updates: api.TypeUpdates) -> None:
        parts = getattr(updates, "updates", None) or [getattr(updates, "update", None)]
        if any(isinstance(part, api.UpdateLoginToken) for part in parts):
            self._accepted.set()
