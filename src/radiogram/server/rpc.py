"""Server layer: from the bytes of a call to the bytes of its result.

Knows the table of handlers, the wrappers of A12, who may call what, transactions, and how
failures become errors. Knows nothing of sockets, packets or message ids: a :class:`Caller` says
who calls, and the result goes back by ``return``.

The life of a call: peel the wrappers, decode in the caller's layer, bring the request to the
newest layer, check who may call, run the handler in one transaction, commit, encode the result
in the caller's layer, and only then let the pushes out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from struct import unpack_from
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from radiogram.errors import DecodeError, EncodeError, RadiogramError, SchemaError
from radiogram.server import layers
from radiogram.server.faults.base import CallFault, Who, Withheld
from radiogram.tl import api
from radiogram.tl.base import Request
from radiogram.tl.build import Registry, registry

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from radiogram.server.authorizations import Authorization
    from radiogram.server.world import World

log = logging.getLogger("radiogram.server.rpc")

R = TypeVar("R", bound="Request[Any]")


class RpcFault(RadiogramError):
    """The answer to a call is an error; `code` and `message` are what the client gets.

    With `keeps`, what the call wrote before it is committed all the same: the error is the way in
    which the API says that one half is done (SESSION_PASSWORD_NEEDED, EMAIL_UNCONFIRMED_X).
    """

    def __init__(self, code: int, message: str, *, keeps: bool = False) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.then: Callable[[], object] | None = None
        """What happens when the client has been told."""
        self.keeps = keeps


# ------------------------------------------------------------------ the table of handlers


@dataclass(frozen=True, slots=True)
class Handler:
    """A method that this server answers, and who may call it."""

    function: Callable[[Context, Any], object]
    method: type[Request[Any]]
    users: bool
    bots: bool
    login: bool
    shared: bool


HANDLERS: dict[type[Request[Any]], Handler] = {}


def handles(
    method: type[R],
    *,
    users: bool = True,
    bots: bool = True,
    login: bool = True,
    shared: bool = False,
) -> Callable[[Callable[[Context, R], object]], Callable[[Context, R], Any]]:
    """Register the decorated function as the handler of `method` (a class of the newest layer).

    `users` and `bots` say who may call it, `login` whether the key must be logged in. `shared`
    promises that the result depends on nothing but the DC and the second of the clock, so
    that it is encoded once and kept for that second; such a handler must not write or push.
    """

    def register(function: Callable[[Context, R], object]) -> Callable[[Context, R], Any]:
        if method in HANDLERS:
            raise RuntimeError(f"{method.TL_NAME} has two handlers")
        if shared and (login or not users or not bots):
            raise RuntimeError(f"{method.TL_NAME} cannot be shared: not everybody may call it")
        HANDLERS[method] = Handler(function, method, users, bots, login, shared)
        return function

    return register


# ------------------------------------------------------------------ who calls, and its context


@dataclass(slots=True, eq=False)
class Caller:
    """One MTProto session as the rpc layer sees it."""

    authorization: Authorization
    """What it acts for: never a temporary key that was bound."""
    session_id: int = 0
    msg_id: int = 0
    """The message that carries the call which is being executed."""
    layer: int = 0
    """Layer that this session announced; 0: use what the key remembers."""
    wants_updates: bool = False
    """Has called an API method without invokeWithoutUpdates (A13.1)."""

    @property
    def encrypted_by(self) -> Authorization:
        """The key that encrypts the session; not what it acts for if that key is temporary."""
        return self.authorization

    @property
    def registry(self) -> Registry:
        """The layer in which this session reads."""
        return registry(self.layer or self.authorization.layer or api.LAYER)

    @property
    def who(self) -> Who:
        """Whose calls these are, as faults are aimed."""
        return Who(
            self.authorization.user_id,
            int.from_bytes(self.encrypted_by.key_id, "little"),
            self.session_id,
        )

    def outcome(self, msg_id: int) -> str:
        """Return the state of an earlier call of the session: unknown, running, ok or failed."""
        return "unknown"

    def push(self, body: bytes) -> None:
        """Send a serialised update; a call made in process has nobody who listens."""


class Context:
    """What a handler may use. It lives for one call."""

    __slots__ = ("_after", "_begin", "_pushes", "_transaction", "caller", "now", "world")

    def __init__(self, world: World, caller: Caller) -> None:
        self.world = world
        self.caller = caller
        self.now: int = int(world.clock.now())
        """Unix time of this call in whole seconds."""
        self._begin: AbstractContextManager[Connection] | None = None
        self._transaction: Connection | None = None
        self._pushes: list[tuple[int, api.TypeUpdates]] = []
        self._after: list[Callable[[], object]] = []

    @property
    def tx(self) -> Connection:
        """The transaction of this call; begun when first used, so that cheap calls have none."""
        if self._transaction is None:
            self._begin = self.world.db.begin()
            self._transaction = self._begin.__enter__()
        return self._transaction

    @property
    def user_id(self) -> int:
        """The account that calls; 0 when the key is not logged in."""
        return self.caller.authorization.user_id

    @property
    def is_bot(self) -> bool:
        """Whether that account is a bot."""
        return self.caller.authorization.is_bot

    @property
    def dc_id(self) -> int:
        """The DC to which the call came; the server's own for an in-process call."""
        return self.caller.authorization.dc_id or self.world.dc_id

    @property
    def auth_key_id(self) -> int:
        """Id of the auth key (unsigned); 0 for an in-process call."""
        return int.from_bytes(self.caller.authorization.key_id, "little")

    @property
    def session_id(self) -> int:
        """The MTProto session that calls; 0 for an in-process call."""
        return self.caller.session_id

    @property
    def layer(self) -> int:
        """The layer in which the result will be encoded. Handlers rarely need it."""
        return self.caller.registry.layer

    def push(self, user_id: int, updates: api.TypeUpdates) -> None:
        """Send `updates` to the sessions of `user_id` after commit, but not to the calling one."""
        self._pushes.append((user_id, updates))

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call back once the transaction is durable; not at all if the call fails."""
        self._after.append(callback)

    def commit(self) -> None:
        """End the call well: commit, then run what waits for it, then push."""
        begin, self._begin, self._transaction = self._begin, None, None
        if begin is not None:
            begin.__exit__(None, None, None)
        for callback in self._after:
            callback()
        for user_id, updates in self._pushes:
            self.world.deliver(user_id, updates, exclude=self.caller)

    def roll_back(self, error: BaseException) -> None:
        """End the call badly: nothing that it wrote or wanted to push remains."""
        begin, self._begin, self._transaction = self._begin, None, None
        if begin is not None:
            begin.__exit__(type(error), error, error.__traceback__)


# ------------------------------------------------------------------ wrappers


class NotYet(Exception):
    """The call waits for earlier ones of its session (A12.5); try it again when they are done."""


_NEWEST = registry(api.LAYER)
_MAX_WRAPPERS = 16


def _init_connection(world: World, caller: Caller, request: api.InitConnection[Any]) -> None:
    known = world.settings.api_ids
    if request.api_id <= 0 or (known and request.api_id not in known):
        raise RpcFault(400, "CONNECTION_API_ID_INVALID")
    if not request.device_model.strip():
        raise RpcFault(400, "CONNECTION_DEVICE_MODEL_EMPTY")
    if not request.system_version.strip():
        raise RpcFault(400, "CONNECTION_SYSTEM_EMPTY")
    if not request.app_version.strip():
        raise RpcFault(400, "CONNECTION_APP_VERSION_EMPTY")
    if len(request.lang_pack) > 64 or not (request.lang_pack or "x").isprintable():
        raise RpcFault(400, "CONNECTION_LANG_PACK_INVALID")
    layer = caller.layer or caller.authorization.layer
    if not layer:
        raise RpcFault(400, "CONNECTION_LAYER_INVALID")
    world.authorizations.remember_client(
        caller.authorization,
        layer=layer,
        api_id=request.api_id,
        device_model=request.device_model[:128],
        system_version=request.system_version[:128],
        app_version=request.app_version[:128],
        system_lang_code=request.system_lang_code[:64],
        lang_pack=request.lang_pack,
        lang_code=request.lang_code[:64],
    )


def _set_layer(caller: Caller, layer: int) -> None:
    try:
        registry(layer)
    except SchemaError:
        raise RpcFault(400, "CONNECTION_LAYER_INVALID") from None
    caller.layer = layer


def _wait_for(caller: Caller, msg_ids: list[int]) -> None:
    outcomes = {caller.outcome(msg_id) for msg_id in msg_ids}
    if "failed" in outcomes:
        raise RpcFault(400, "MSG_WAIT_FAILED")
    if "running" in outcomes:
        raise NotYet


class _Peeled(NamedTuple):
    """A call without its wrappers."""

    body: bytes
    quiet: bool
    """Whether it wants no updates."""
    connection_id: str | None
    """The business connection over which it comes."""


def _peel(world: World, caller: Caller, body: bytes) -> _Peeled:
    """Take the wrappers off and heed them."""
    quiet = False
    connection_id = None
    for _ in range(_MAX_WRAPPERS):
        if len(body) < 4:
            raise RpcFault(400, "INPUT_FETCH_FAIL")
        if body[:4] not in _WRAPPER_IDS:
            return _Peeled(body, quiet, connection_id)
        wrapper = _decode(_NEWEST, body)
        match wrapper:
            case api.InvokeWithLayer():
                _set_layer(caller, wrapper.layer)
            case api.InitConnection():
                _init_connection(world, caller, wrapper)
            case api.InvokeWithoutUpdates():
                quiet = True
            case api.InvokeAfterMsg():
                _wait_for(caller, [wrapper.msg_id])
            case api.InvokeAfterMsgs():
                _wait_for(caller, wrapper.msg_ids)
            case api.InvokeWithTakeout():
                raise RpcFault(400, "TAKEOUT_INVALID")
            case api.InvokeWithBusinessConnection():
                connection_id = wrapper.connection_id
            case _:  # proofs of a genuine app, ranges of an export: nothing to check here (A12.10)
                pass
        body = bytes(cast(Any, wrapper).query)
    raise RpcFault(400, "INPUT_FETCH_FAIL")


_WRAPPER_IDS = frozenset(
    wrapper.TL_ID.to_bytes(4, "little")
    for wrapper in (
        api.InitConnection,
        api.InvokeAfterMsg,
        api.InvokeAfterMsgs,
        api.InvokeWithApnsSecret,
        api.InvokeWithBusinessConnection,
        api.InvokeWithGooglePlayIntegrity,
        api.InvokeWithLayer,
        api.InvokeWithMessagesRange,
        api.InvokeWithReCaptcha,
        api.InvokeWithTakeout,
        api.InvokeWithoutUpdates,
    )
)


# ------------------------------------------------------------------ dispatch


def _decode(source: Registry, body: bytes) -> Request[Any]:
    (number,) = unpack_from("<I", body)
    method = source.get_by_id(number)
    if method is None or not issubclass(method, Request):
        raise RpcFault(400, f"INPUT_METHOD_INVALID_{number}_0")
    try:
        return source.decode_request(body)
    except DecodeError as error:
        log.info("%s of layer %d does not decode: %s", method.TL_NAME, source.layer, error)
        if error.message.startswith(("no constructor", "expected ")):
            raise RpcFault(400, "INPUT_CONSTRUCTOR_INVALID") from None
        raise RpcFault(400, "INPUT_FETCH_ERROR") from None


_BIND = api.auth.BindTempAuthKey.TL_ID.to_bytes(4, "little")
UNBOUND = frozenset({api.auth.BindTempAuthKey, api.help.GetConfig, api.help.GetNearestDc})
"""What a temporary key may call before it is bound (A16.1)."""


def find_handler(request: Request[Any], authorization: Authorization, world: World) -> Handler:
    """Return the handler of a request, or refuse the caller (A11.5 to A11.7)."""
    if authorization.expires_at is not None and type(request) not in UNBOUND:
        raise RpcFault(401, "AUTH_KEY_PERM_EMPTY")
    handler = HANDLERS.get(type(request))
    if handler is None:
        # The name is in the message: whoever meets this error wants to know what is missing.
        name = request.TL_NAME.upper().replace(".", "_")
        log.warning("%s is not implemented by this server", request.TL_NAME)
        raise RpcFault(world.settings.unimplemented_code, f"METHOD_INVALID_{name}")
    if not authorization.user_id:
        if handler.login:
            half = authorization.pending_user_id
            raise RpcFault(401, "SESSION_PASSWORD_NEEDED" if half else "AUTH_KEY_UNREGISTERED")
    elif authorization.is_bot:
        if not handler.bots:
            raise RpcFault(400, "BOT_METHOD_INVALID")
    elif not handler.users:
        raise RpcFault(400, "USER_BOT_REQUIRED")
    return handler


def dispatch(world: World, caller: Caller, body: bytes) -> bytes:
    """Execute one serialised call and return its serialised result.

    Raises :class:`RpcFault` for every answer that is an error, and :class:`NotYet` when an
    invokeAfterMsg has to wait; :class:`Withheld` if a fault was asked for. Nothing else escapes,
    whatever the caller sent and however badly a handler fails.
    """
    try:
        return _dispatch(world, caller, bytes(body))
    except (NotYet, Withheld):
        raise
    except RpcFault as fault:
        if world.observer is not None:
            world.observer.refused(caller, fault)
        raise
    except Exception:
        log.exception("a call failed inside the server")
        raise RpcFault(500, "RPC_CALL_FAIL") from None


def _dispatch(world: World, caller: Caller, body: bytes) -> bytes:
    body, quiet, connection_id = _peel(world, caller, body)
    authorization = caller.authorization
    if authorization.fault is not None:
        raise RpcFault(401, world.authorizations.take_fault(authorization))
    # A temporary key is bound before anything is told with it (A12.4).
    unbound = authorization.expires_at is not None or body.startswith(_BIND)
    if world.settings.require_init and not authorization.layer and not unbound:
        raise RpcFault(400, "CONNECTION_NOT_INITED")
    if not quiet:
        caller.wants_updates = True
    target = caller.registry
    second = int(world.clock.now())
    troubled = world.faults.has_calls
    shared = authorization.dc_id, target.layer, body
    kept = world.shared_results.get(shared) if connection_id is None else None
    if kept is not None and kept[0] == second and not troubled and world.observer is None:
        return kept[1]

    request = _decode(target, body)
    method = type(request)
    try:
        newest = layers.upgrade(request, target)
    except EncodeError as error:
        log.info("%s of layer %d has no newer form: %s", method.TL_NAME, target.layer, error)
        raise RpcFault(400, "INPUT_REQUEST_INVALID") from None
    if world.observer is not None:
        world.observer.called(caller, newest)
    instead = None
    if troubled:
        newest, instead = _before(world, caller, newest)
    call = newest
    if connection_id is not None:  # the wrapper has a handler like any method (A12.9)
        call = api.InvokeWithBusinessConnection(connection_id=connection_id, query=newest)
    handler = find_handler(call, authorization, world) if instead is None else None
    context = Context(world, caller)
    try:
        if handler is not None:
            value = handler.function(context, call)
        else:
            value = instead.answer(call) if instead is not None and instead.answer else None
        if troubled:
            value, target, method = _changed(context, newest, value, target, method)
        result = target.encode_result(method, layers.downgrade_result(value, method, target))
        context.commit()
    except RpcFault as fault:
        if fault.keeps:
            context.commit()
        else:
            context.roll_back(fault)
        log.debug("%s of %d: %s", method.TL_NAME, authorization.user_id, fault)
        raise
    except Exception as error:
        context.roll_back(error)
        log.exception("%s of %d failed", method.TL_NAME, authorization.user_id)
        raise RpcFault(500, "RPC_CALL_FAIL") from None
    log.debug("%s of %d: %d bytes", method.TL_NAME, authorization.user_id, len(result))
    if world.observer is not None:
        world.observer.answered(caller, newest, value)
    if troubled:
        _meet(world, caller, world.faults.of_call(newest, caller.who, "after"), result)
    if (
        handler is not None
        and handler.shared
        and not troubled
        and len(body) == 4
        and connection_id is None
    ):
        world.shared_results[shared] = (second, result)
    return result


def _before(
    world: World, caller: Caller, request: Request[Any]
) -> tuple[Request[Any], CallFault | None]:
    """Let a call meet what a test wants it to before it is executed.

    Returns the request to execute, and the fault that answers in the place of a handler.
    """
    faults = world.faults
    refusal = faults.refusal(request, caller.who)
    if refusal is not None:
        faults.note("state", f"{refusal[1]} {request.TL_NAME}", caller.who.user_id)
        raise RpcFault(*refusal)
    fault = faults.of_call(request, caller.who, "before")
    if fault is not None and fault.alter is not None:
        return fault.alter(request), None
    if fault is not None and fault.answer is not None:
        return request, fault
    _meet(world, caller, fault, None)
    return request, None


def _changed(
    context: Context,
    request: Request[Any],
    value: Any,
    target: Registry,
    method: type[Request[Any]],
) -> tuple[Any, Registry, type[Request[Any]]]:
    """Return the result that a test wants, and how it is encoded (E25, E26, E30, E32, E33)."""
    faults = context.world.faults
    for fault in faults.of_result(request, context.caller.who):
        if fault.change is not None:
            value = fault.change(context, request, value)
        elif fault.layer:
            older = registry(fault.layer)
            found = older.get(method.TL_NAME)
            if found is not None and issubclass(found, Request):
                target, method = older, found
    return faults.dress(value, context.user_id), target, method


def _meet(world: World, caller: Caller, fault: CallFault | None, answer: bytes | None) -> None:
    """Let a call meet a fault; `answer` is ready if the call was executed."""
    if fault is None:
        return
    if fault.error is None:
        raise Withheld(fault, answer)
    here = caller.authorization.dc_id or world.dc_id
    if fault.error[0] == 303 and fault.error[1].endswith(f"_MIGRATE_{here}"):
        return  # whoever was sent to this DC has arrived
    refusal = RpcFault(*fault.error)
    if fault.ends_login:
        context = Context(world, caller)
        world.authorizations.log_out(context, caller.authorization.key_id)
        context.commit()
    if fault.popup is not None:
        user_id, text = caller.authorization.user_id, fault.popup
        refusal.then = lambda: world.deliver(user_id, _popup(refusal, text, world))
    raise refusal


def _popup(fault: RpcFault, text: str, world: World) -> api.TypeUpdates:
    """Return the notification that tells a person what an error of code 406 means (A11.3)."""
    notification = api.UpdateServiceNotification(
        popup=True,
        inbox_date=int(world.clock.now()),
        type=fault.message,
        message=text,
        media=api.MessageMediaEmpty(),
        entities=[],
    )
    return api.UpdateShort(update=notification, date=int(world.clock.now()))
