"""Server layer: from the bytes of a call to the bytes of its result.

Knows the wrappers of A12, who may call what, and how failures become errors. Knows nothing of
sockets, packets or message ids: a :class:`~radiogram.server.rpc.Caller` says who calls, and the
result goes back by ``return``.

The life of a call: peel the wrappers, decode in the caller's layer, bring the request to the
newest layer, check who may call, run the handler in one transaction, commit, encode the result
in the caller's layer, and only then let the pushes out.
"""

from __future__ import annotations

import logging
from struct import unpack_from
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from radiogram.errors import DecodeError, EncodeError, SchemaError
from radiogram.server import layers, rpc
from radiogram.server.faults.base import CallFault, Withheld
from radiogram.server.rpc import Caller, Context, Handler, RpcFault
from radiogram.tl import api
from radiogram.tl.base import Request
from radiogram.tl.build import Registry, registry

if TYPE_CHECKING:
    from radiogram.server.authorizations import Authorization
    from radiogram.server.world import World

log = logging.getLogger("radiogram.server.rpc")


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
    handler = rpc.HANDLERS.get(type(request))
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
