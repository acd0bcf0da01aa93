"""Layer 4, client: TelegramClient, which puts the parts together.

Knows the parts and the table of friendly methods. Must not know how any of them works.

Life of a call: :meth:`TelegramClient.invoke` converts the request and serialises it, the chain of
:mod:`~radiogram.client.invoke` passes it on, :meth:`TelegramClient._send` hands it to the sender
and decodes what comes back.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from radiogram import errors
from radiogram.client import arguments, datacenters
from radiogram.client.clock import STEADY, forward
from radiogram.client.datacenters import Endpoint, ServerLike
from radiogram.client.ending import ends_session
from radiogram.client.environment import Environment
from radiogram.client.flood import FloodGovernor
from radiogram.client.invoke import Call, Link, compose, logged, migrate, repeat
from radiogram.client.methods import (
    auth,
    chats,
    dialogs,
    handlers,
    logins,
    me,
    messages,
    two_step,
)
from radiogram.client.peers import Peers
from radiogram.client.pool import Pool, Purpose
from radiogram.client.sender import Sender, SenderHooks, SenderOptions
from radiogram.client.sessions import Session, SessionData
from radiogram.client.temporary import TemporaryKeySender
from radiogram.client.updates import Callback, Updates
from radiogram.client.ways import ways_of
from radiogram.crypto import rsa
from radiogram.crypto.keys import AuthKey
from radiogram.tl import api
from radiogram.tl.base import Request
from radiogram.tl.build import registry

if TYPE_CHECKING:
    from typing import Self

R = TypeVar("R")

log = logging.getLogger("radiogram.client")


class TelegramClient:
    """One account (or one that is about to sign in) at one server.

    ::

        async with TelegramClient(StringSession(""), api_id, api_hash) as client:
            await client.start(phone="+999661234")
            result = await client.invoke(api.help.GetConfig())

    `session` says where the account lives and how to get in; a plain text is taken as a
    StringSession. `api_id` and `api_hash` are your own, from my.telegram.org. `server` is where to
    connect instead of Telegram: anything with host, port, dc_id and public_key. `test_mode` goes to
    Telegram's test environment. `connection` names the framing (abridged, intermediate, padded,
    full), `obfuscated` hides it, and "auto" tries one way after the other. `websocket` wraps it in
    WebSocket: at Telegram in wss, elsewhere with `ssl_context` only. `proxy` is the URL of one
    (socks5://user:password@host:port, socks4://, http://) or the link of an MTProxy. `ipv6` uses
    Telegram's addresses of that kind. `pfs` encrypts with temporary keys that are thrown away:
    whoever steals the session later cannot read what had gone over the wire.
    `flood_sleep_threshold` is the longest wait, in seconds, that is slept through when Telegram
    asks for one; longer ones raise, and `flood` remembers them.
    `timeout` bounds, in seconds each, opening a connection, the key exchange and the first answer.
    `reconnect_attempts` is how often in a row a lost connection is tried again (None: for ever).
    `future_auth_tokens` are what an earlier client kept of its log_out().
    `links` go before the client's own in the chain of every call.
    """

    def __init__(
        self,
        session: Session | str,
        api_id: int,
        api_hash: str,
        *,
        server: ServerLike | None = None,
        test_mode: bool = False,
        connection: str = "abridged",
        obfuscated: bool = False,
        websocket: bool = False,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        ipv6: bool = False,
        pfs: bool = False,
        device_model: str = "",
        system_version: str = "",
        app_version: str = "",
        lang_code: str = "en",
        system_lang_code: str = "en",
        flood_sleep_threshold: float = 60,
        timeout: float = 10,
        reconnect_attempts: int | None = 10,
        future_auth_tokens: Sequence[bytes] = (),
        links: Sequence[Link] = (),
        environment: Environment | None = None,
    ) -> None:
        arguments.check_account(api_id, api_hash)
        arguments.check_limits(
            timeout=timeout,
            flood_sleep_threshold=flood_sleep_threshold,
            reconnect_attempts=reconnect_attempts,
        )
        # A combination that does not exist is refused here, not at the first connection.
        ways = ways_of(
            connection,
            obfuscated=obfuscated,
            websocket=websocket,
            proxy=proxy,
            ssl_context=ssl_context,
            own=server is not None,
        )
        self.session: Session = arguments.session_of(session)
        """Where the account lives and how to get in."""
        self.api_id = api_id
        self.api_hash = api_hash
        self._server = server
        self._env = environment or Environment()
        if self._env.clock is not STEADY:
            self._env = replace(self._env, clock=forward(self._env.clock))
        self._registry = registry(layer=api.LAYER)
        self._options = SenderOptions(
            ways=ways,
            timeout=timeout,
            attempts=reconnect_attempts,
            init=self._registry.encode(
                api.InvokeWithLayer(
                    layer=api.LAYER,
                    query=api.InitConnection(
                        api_id=api_id,
                        device_model=device_model or platform.machine() or "computer",
                        system_version=system_version or platform.system() or "unknown",
                        app_version=app_version or _own_version(),
                        system_lang_code=system_lang_code,
                        lang_pack="",
                        lang_code=lang_code,
                        query=b"",
                    ),
                )
            ),
        )
        self.future_auth_tokens: tuple[bytes, ...] = arguments.tokens_of(future_auth_tokens)
        """Sign in again without a code, as send_code() does: secrets, kept by log_out()."""
        self._peers = Peers(self.session, self.invoke, self._env.random)
        self.updates = Updates(self, self._peers, self._env.clock)
        """What happens to the account; see :class:`~radiogram.client.updates.Updates`."""
        self.flood = FloodGovernor(
            flood_sleep_threshold, clock=self._env.clock, sleep=self._env.sleep
        )
        """What may be called when; see :class:`~radiogram.client.flood.FloodGovernor`."""
        self._repeat = repeat(self._env.sleep, self)
        self._chain = compose(
            [
                *links,
                logged,
                self.flood,
                self._repeat,
                migrate(self),
            ],
            self._send,
        )
        self._kind = TemporaryKeySender if pfs else Sender
        self._directory = datacenters.Directory(server, test_mode=test_mode, ipv6=ipv6)
        self.pool = Pool(self, clock=self._env.clock)
        """The connections besides the main one; see :class:`~radiogram.client.pool.Pool`."""
        self._sender: Sender | None = None
        self._changing = asyncio.Lock()
        self._catching_up: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        state = "connected" if self.is_connected else "not connected"
        return f"<TelegramClient {state}, {self.session!r}>"

    @property
    def environment(self) -> Environment:
        """Where it gets time, randomness and connections."""
        return self._env

    # ── connection ───────────────────────────────────────────────────────────────────────────

    @property
    def is_connected(self) -> bool:
        """True from a successful connect() until disconnect() or a failure that ended the client.

        While a lost connection is being replaced it stays true: calls wait and are sent then.
        """
        return self._sender is not None and not self._sender.over

    async def connect(self) -> None:
        """Connect, make a key if the session has none, and introduce this client.

        Returns when the server has answered. Does nothing if connected. Raises ConnectionFailed
        (nobody there, no MTProto, no answer in time), SecurityError (not the server whose key was
        given), SessionError (the server does not know the session's key) or the RpcError with which
        the server refuses this client.
        """
        async with self._changing:
            if not self.is_connected:
                data = self.session.data
                await self._go_online(self._directory.home(data), _auth_key(data))
        await self.updates.resume()

    async def disconnect(self) -> None:
        """End the connection; calls without an answer raise ClientClosed. May connect again."""
        async with self._changing:
            if self._catching_up is not None:
                self._catching_up.cancel()
            await self.updates.stop()
            sender, self._sender = self._sender, None
            await self.pool.close(forget=not self.session.data.user_id)
            if sender is not None:
                await sender.close()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()

    # ── calls ────────────────────────────────────────────────────────────────────────────────

    async def invoke(
        self, request: Request[R], *, dc_id: int | None = None, purpose: Purpose = "home"
    ) -> R:
        """Call a method of the API and give its result.

        `dc_id` sends it to another data centre than the account's; the account is signed in there
        when that is needed first. `purpose` "media" takes a connection that is meant for files.

        Wherever the request wants a peer, at any depth, these may stand: a username ("name",
        "@name"), a t.me link, a phone number ("+..."), a marked id, "me", or any object that is
        about one peer. A password is proved if it is given as text where a proof of it belongs. A
        missing random_id is made up. Calls made in the same turn of the event
        loop travel together. Cancelling tells the server to drop the answer.

        Raises the RpcError that the server answers with (``errors.FloodWait`` ...), EncodeError for
        a value that does not fit its parameter, PeerNotFound, ClientClosed or ConnectionFailed.
        """
        if not isinstance(request, Request):
            raise errors.EncodeError(
                f"invoke() takes a method such as api.help.GetConfig(), not {_describe(request)}"
            )
        converted, missing = self._peers.cast(request)
        if missing:
            converted = await self._peers.find_and_cast(request, missing)
        call = Call(converted, self._registry.encode(converted), dc_id or 0, purpose)
        result: R = await self._chain(call)
        return result

    __call__ = invoke

    async def marked_id(self, peer: Any) -> int:
        """Give the marked id of anything that names a peer: a username, a link, an object.

        Asks the server about names that were not seen yet. Raises PeerNotFound.
        """
        return await self._peers.marked_id(peer)

    async def input_peer(self, peer: Any) -> api.TypeInputPeer:
        """Give the InputPeer of anything that names a peer. Raises PeerNotFound."""
        found: api.TypeInputPeer = await self._peers.resolve(peer)
        return found

    async def _send(self, call: Call, sender: Sender | None = None) -> Any:
        """Send a call: the end of the chain."""
        main = self._sender
        if main is None and sender is None:
            raise errors.ClientClosed(
                "the client is not connected; call `await client.connect()`, or use `async with`"
            )
        if sender is None and self._is_elsewhere(call):
            dc_id = call.dc_id or self.session.data.dc_id
            answer = await self.pool.request(call.body, dc_id, call.purpose)
        else:
            sender = sender or main
            assert sender is not None
            answer = await sender.request(call.body)
        if not isinstance(answer, bytes):
            error = errors.rpc_error(answer.code, answer.message, call.request)
            signed_in = bool(self.session.data.user_id)
            if (
                sender is not None
                and sender is self._sender
                and ends_session(error, signed_in=signed_in)
            ):
                sender.end(error)
            raise error
        result = self._registry.decode_result(call.request, answer)
        self._peers.learn(result)
        self.updates.result(call.request, result)
        return result

    # ── updates ──────────────────────────────────────────────────────────────────────────────

    def on_update(self, callback: Callback) -> Callable[[], None]:
        """Call a plain function with every Updates that the server pushes; gives a way to stop.

        This is the raw stream, in the order of arrival: what the server resends after a
        reconnection is there, but gaps in pts are not looked for and what was missed while away is
        not fetched. ``api.UpdatesTooLong()`` means that something was missed.
        """
        return self.updates.feed.listen(callback)

    def _update_received(self, body: bytes) -> None:
        try:
            update: Any = self._registry.decode(body)
        except errors.DecodeError as error:
            log.warning("an update that was pushed cannot be read: %s", error)
            update = api.UpdatesTooLong()
        self._peers.learn(update)
        self._directory.learn(update)
        self.updates.received(update)

    def _updates_lost(self) -> None:
        self.updates.missed()
        if self.session.data.user_id and self._catching_up is None:
            self._catching_up = asyncio.get_running_loop().create_task(self._subscribe())

    async def _subscribe(self) -> None:
        """Call anything: a server that started over pushes only to those who have called."""
        try:
            await self.invoke(api.updates.GetState())
        except errors.RadiogramError as error:
            if isinstance(error, errors.RpcError):
                self.updates.missed()
        finally:
            self._catching_up = None

    # ── data centres ─────────────────────────────────────────────────────────────────────────

    def _is_elsewhere(self, call: Call) -> bool:
        return call.purpose != "home" or call.dc_id not in (0, self.session.data.dc_id)

    def introduce_again(self, call: Call) -> None:
        """Send the next call, over the connection of this one, behind initConnection."""
        if self._is_elsewhere(call):
            self.pool.introduce_again(call.dc_id or self.session.data.dc_id, call.purpose)
        elif self._sender is not None:
            self._sender.initialised = False

    @property
    def home(self) -> tuple[int, AuthKey | None, int]:
        """Data centre of the account, its key there, and who is signed in (0: nobody)."""
        data = self.session.data
        return data.dc_id, _auth_key(data), data.user_id

    def find(self, dc_id: int, purpose: Purpose, keys: tuple[rsa.PublicKey, ...] = ()) -> Endpoint:
        """Tell where a data centre is. Raises ClientError if that is not known."""
        test_mode = self.session.data.test_mode
        return self._directory.find(dc_id, purpose, test_mode=test_mode, keys=keys)

    def make_sender(
        self, endpoint: Endpoint, key: AuthKey | None, key_made: Callable[[AuthKey], None]
    ) -> Sender:
        """Make a sender that tells nobody of updates; for :class:`~radiogram.client.pool.Pool`."""
        hooks = SenderHooks(
            key_made=key_made,
            update=lambda body: None,
            updates_lost=lambda: None,
            ended=lambda error: None,
        )
        return self._kind(endpoint, key, options=self._options, environment=self._env, hooks=hooks)

    async def call_home(self, request: Request[R]) -> R:
        """Call a method where the account lives; for :class:`~radiogram.client.pool.Pool`."""
        return await self.invoke(request)

    async def move(self, dc_id: int) -> bool:
        """Go to another data centre, with a new key, and make it the account's home.

        An account that is signed in is taken along. False when `server` plays no such DC. If the
        other cannot be reached, everything stays as it was and the reason is raised.
        """
        async with self._changing:
            data, before = self.session.data, self._sender
            if data.dc_id == dc_id or before is None:
                return before is not None
            try:
                endpoint = self._directory.find(dc_id, test_mode=data.test_mode)
            except errors.ClientError:
                if self._server is not None:
                    return False
                raise
            exported: Any = None
            if data.user_id:
                exported = await self._send(self._call(api.auth.ExportAuthorization(dc_id=dc_id)))
            made: list[AuthKey] = []
            await self._go_online(endpoint, None, made.append)
            after = self._sender
            assert after is not None
            try:
                if exported is not None:
                    request = api.auth.ImportAuthorization(id=exported.id, bytes=exported.bytes)
                    await self._send(self._call(request), after)
            except BaseException:
                self._sender = before
                await after.close()
                raise
            if exported is None:
                self.session.forget()
            self._key_made(endpoint, made[-1])
            if exported is not None:
                self.session.data = replace(
                    self.session.data, user_id=data.user_id, is_bot=data.is_bot
                )
            before.end(
                errors.ConnectionFailed(
                    f"the account has moved to DC {dc_id}; what was under way at DC {data.dc_id} "
                    "may have been executed"
                )
            )
            await before.close()
            await self.pool.close(forget=True)
        if exported is not None:
            self._updates_lost()
        return True

    def _call(self, request: Request[Any]) -> Call:
        return Call(request, self._registry.encode(request))

    async def _go_online(
        self,
        endpoint: Endpoint,
        key: AuthKey | None,
        key_made: Callable[[AuthKey], None] | None = None,
    ) -> None:
        """Connect to an address on the first of the ways that leads there.

        `key_made` is told of a new key in place of the session.
        """
        known = key

        def keep(made: AuthKey) -> None:
            nonlocal known
            known = made
            if key_made is not None:
                key_made(made)
            else:
                self._key_made(endpoint, made)

        ways, last = self._options.ways, len(self._options.ways) - 1
        for number in range(last):
            patience = ways.patience(number, self._options.timeout)
            options = replace(self._options, first=number, timeout=patience)
            try:
                await self._try_online(endpoint, known, options, keep)
            except errors.ConnectionFailed as error:
                log.info("%s cannot be reached %s: %s", endpoint, ways.pick(number), error)
            else:
                return
        await self._try_online(endpoint, known, replace(self._options, first=last), keep)

    async def _try_online(
        self,
        endpoint: Endpoint,
        key: AuthKey | None,
        options: SenderOptions,
        key_made: Callable[[AuthKey], None],
    ) -> None:
        """Connect to an address, and ask for the configuration as the first call."""
        sender = self._kind(
            endpoint,
            key,
            options=options,
            environment=self._env,
            hooks=SenderHooks(
                key_made=key_made,
                update=self._update_received,
                updates_lost=self._updates_lost,
                ended=lambda error: self._sender_ended(sender, error),
            ),
        )
        request = api.help.GetConfig()
        try:
            await sender.connect()
            async with asyncio.timeout(options.timeout):
                config = await self._repeat(self._call(request), partial(self._send, sender=sender))
        except TimeoutError:
            await sender.close()
            raise errors.ConnectionFailed(
                f"{sender.endpoint} accepted the connection but did not answer the first call "
                f"within {options.timeout:g} seconds; {sender.endpoint.doubt}"
            ) from None
        except BaseException:
            await sender.close()
            raise
        self._directory.options = config.dc_options
        self._sender = sender

    def _key_made(self, endpoint: Endpoint, key: AuthKey) -> None:
        self.session.data = replace(
            self.session.data,
            dc_id=endpoint.dc_id,
            host=endpoint.host,
            port=endpoint.port,
            auth_key=key.data,
            user_id=0,
            is_bot=False,
            test_mode=endpoint.wire_dc != endpoint.dc_id,
        )

    def _sender_ended(self, sender: Sender, error: errors.RadiogramError) -> None:
        if sender is self._sender and not isinstance(error, errors.ClientClosed):
            self.updates.end(error)

    # ── friendly methods ─────────────────────────────────────────────────────────────────────

    on = handlers.on
    add_handler = handlers.add_handler
    remove_handler = handlers.remove_handler
    use = handlers.use
    events = handlers.events
    wait_for = handlers.wait_for
    conversation = handlers.conversation

    start = auth.start
    send_code = auth.send_code
    resend_code = auth.resend_code
    cancel_code = auth.cancel_code
    sign_in = auth.sign_in
    sign_up = auth.sign_up
    sign_in_bot = auth.sign_in_bot
    qr_login = logins.qr_login
    accept_qr = logins.accept_qr
    log_out = auth.log_out
    is_authorized = me.is_authorized
    get_me = me.get_me

    get_two_step = two_step.get_two_step
    edit_two_step = two_step.edit_two_step
    confirm_two_step_email = two_step.confirm_two_step_email
    resend_two_step_email = two_step.resend_two_step_email
    cancel_two_step_email = two_step.cancel_two_step_email
    request_recovery = two_step.request_recovery
    recover_two_step = two_step.recover_two_step
    reset_two_step = two_step.reset_two_step
    cancel_two_step_reset = two_step.cancel_two_step_reset

    get_sessions = logins.get_sessions
    end_session = logins.end_session
    end_other_sessions = logins.end_other_sessions
    change_phone = logins.change_phone
    delete_account = logins.delete_account

    send_message = messages.send_message
    edit_message = messages.edit_message
    delete_messages = messages.delete_messages
    forward_messages = messages.forward_messages
    get_messages = messages.get_messages
    iter_messages = messages.iter_messages
    read = messages.read
    pin_message = messages.pin_message
    unpin_message = messages.unpin_message
    unpin_all_messages = messages.unpin_all_messages
    get_pinned_messages = messages.get_pinned_messages

    get_chat = dialogs.get_chat
    iter_dialogs = dialogs.iter_dialogs

    create_group = chats.create_group
    create_channel = chats.create_channel
    invite = chats.invite
    join = chats.join
    leave = chats.leave
    set_admin = chats.set_admin
    restrict = chats.restrict
    kick = chats.kick
    ban = chats.ban
    unban = chats.unban
    iter_participants = chats.iter_participants


def _auth_key(data: SessionData) -> AuthKey | None:
    if not data.auth_key:
        return None
    try:
        return AuthKey(data.auth_key)
    except ValueError as error:
        raise errors.SessionError(f"the session's key cannot be used: {error}") from error


def _own_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("radiogram")
    except PackageNotFoundError:
        return "source"


def _describe(value: object) -> str:
    name = getattr(value, "TL_NAME", None)
    return f"the constructor {name}" if name else f"{type(value).__name__} {value!r}"
