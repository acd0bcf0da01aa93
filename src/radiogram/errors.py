"""Every exception that Radiogram raises on purpose.

::

    RadiogramError
    ├── TLError                 a TL value or schema is at fault
    │   ├── SchemaError         an unknown layer, name or a malformed ``.tl`` text
    │   ├── EncodeError         a value does not fit its parameter
    │   └── DecodeError         bytes do not follow the schema
    ├── TransportError          bytes <-> packets
    │   ├── FramingError        the byte stream cannot be cut into packets
    │   └── TransportCode       the peer answered with a bare negative code (-404, -429, -444 ...)
    ├── SecurityError           a check of the security guidelines failed
    ├── ProtocolError           packets <-> messages
    │   ├── LocalProtocolError  this side used the engine wrongly
    │   └── RemoteProtocolError the peer broke MTProto
    ├── ClientError             the state of a client does not allow what was asked
    │   ├── ConnectionFailed    nobody answers, or the connection was lost for good
    │   │   └── ProxyFailed     the proxy that leads there does not
    │   ├── ClientClosed        the client was disconnected, or never connected
    │   ├── AnswerMissing       a login needs a value, and there is nobody to ask
    │   ├── PeerNotFound        no peer is known by that name, number or id
    │   └── SessionError        a session string or file cannot be used
    │       ├── KeyUnknown      the server does not know the session's key (-404)
    │       └── KeyDestroyed    the session's key was destroyed
    │       ├── SessionInUse    another process has it
    │       ├── SessionDamaged  it is cut off, changed or unreadable
    │       ├── SessionTooNew   a newer version of Radiogram wrote it
    │       └── WrongPassphrase it is encrypted, and not with this passphrase
    └── RpcError                Telegram answered a call with an error
        ├── SeeOther            303  another data centre has it
        ├── BadRequest          400  a parameter is not accepted
        ├── Unauthorized        401  the session may not act as anybody
        ├── Forbidden           403  this account may not do that
        ├── NotFound            404  no such thing
        ├── NotAcceptable       406  as 400 or 403; the app need not show it
        ├── Flood               420  too much, too fast
        ├── ServerError         500, 503 and their negatives: trouble on Telegram's side
        ├── Wait                of any code: passes by itself after ``.seconds``
        └── Migrate             of any code: ask data centre ``.dc`` instead

Below these, one class per error name exists on demand: ``errors.FloodWait`` (FLOOD_WAIT_31),
``errors.MessageIdInvalid`` ... A name that Telegram invents tomorrow gets its class in the same
way, so ``except errors.SomethingNew`` can be written before this package has heard of it. What
is known about names (codes, our sentence) is the table ``errors.tsv``, read when the first of
these classes is made; ``errornames.pyi`` tells type checkers the same. This module imports no
other part of Radiogram.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, NamedTuple

if TYPE_CHECKING:
    from .errornames import *  # noqa: F403  # pyright: ignore[reportMissingModuleSource]


class RadiogramError(Exception):
    """Base of everything that Radiogram raises on purpose."""


class TLError(RadiogramError, ValueError):
    """A TL value or a schema is at fault."""


class SchemaError(TLError):
    """A layer, a name or a ``.tl`` text cannot be used."""


class EncodeError(TLError, TypeError):
    """A value does not fit the parameter it was given for."""


class DecodeError(TLError):
    """Bytes do not follow the schema."""

    path: str
    """Constructor and field that were being read, outermost first."""
    offset: int
    """Byte offset, from the start of the input, where reading failed."""

    def __init__(self, message: str, *, path: str = "", offset: int = 0) -> None:
        super().__init__(f"{path or 'value'} at byte {offset}: {message}")
        self.message = message
        self.path = path
        self.offset = offset


class TransportError(RadiogramError):
    """Bytes and packets could not be turned into each other."""


class FramingError(TransportError):
    """The byte stream cannot be cut into packets; the connection is useless."""


class TransportCode(TransportError):
    """The peer answered with a bare negative code instead of a packet."""

    def __init__(self, code: int) -> None:
        super().__init__(f"transport error {code}")
        self.code = code


class SecurityError(RadiogramError):
    """A check that MTProto's security guidelines require has failed."""


class ProtocolError(RadiogramError):
    """Packets and messages could not be turned into each other."""


class LocalProtocolError(ProtocolError):
    """This side asked the engine for something it must not do."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the rules of MTProto."""


class ClientError(RadiogramError):
    """The client is not in a state that allows what was asked."""


class ConnectionFailed(ClientError, ConnectionError):
    """Nobody answers at the address, or the connection is lost for good."""


class ProxyFailed(ConnectionFailed):
    """The proxy cannot be reached, or does not lead to where it should."""


class ClientClosed(ClientError):
    """The client was disconnected, or was never connected."""


class AnswerMissing(ClientError):
    """A login needs a value that was not given, and there is no terminal to ask on."""

    def __init__(self, argument: str, reason: str = "there is no terminal to ask on") -> None:
        super().__init__(argument, reason)
        self.argument = argument
        """What to give, as a call is written: ``start(phone=)``."""
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.argument} is needed, and {self.reason}"


class PeerNotFound(ClientError, LookupError):
    """No peer is known by that username, phone number or id."""


class SessionError(ClientError, ValueError):
    """A session string or file cannot be used."""


class KeyUnknown(SessionError):
    """The server does not know the session's key: transport error -404."""


class KeyDestroyed(SessionError):
    """The session's key was destroyed, by a call of destroy_auth_key."""


class SessionInUse(SessionError):
    """Another process has the session, or this one has it already."""

    def __init__(
        self, session: str, *, pid: int | None = None, host: str = "", since: str = ""
    ) -> None:
        super().__init__(session)
        self.session = session
        """Path of the file, or name in the database."""
        self.pid = pid
        """Process that has it; None if that cannot be told."""
        self.host = host
        """Machine on which that process runs; empty if that cannot be told."""
        self.since = since
        """When it took the session: date and time in UTC; empty if that cannot be told."""

    def __str__(self) -> str:
        holder = "another process" if self.pid is None else f"process {self.pid}"
        on = f" on {self.host}" if self.host else ""
        since = f" since {self.since}" if self.since else ""
        return (
            f"the session {self.session} is used by {holder}{on}{since}; end that one first, wait "
            "for it with wait=seconds, or use another session: one account may have many"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _session_in_use, (self.session, self.pid, self.host, self.since)


def _session_in_use(session: str, pid: int | None, host: str, since: str) -> SessionInUse:
    return SessionInUse(session, pid=pid, host=host, since=since)


class SessionDamaged(SessionError):
    """A session string or file was cut off, changed or cannot be read; it was left as it is."""


class SessionTooNew(SessionError):
    """A newer version of Radiogram wrote the session."""


class WrongPassphrase(SessionError):
    """The session is encrypted: with another passphrase, or none was given."""


class RpcError(RadiogramError):
    """Telegram answered a call with an error; made by :func:`rpc_error`, seldom by hand."""

    code: int
    """Telegram's number for the kind of error, as it came: 400, 420, -503 ..."""
    name: str
    """Telegram's name with X in place of each number: ``FLOOD_WAIT_X``."""
    value: int | None
    """The number in the name, the first if there are several."""
    request: object | None
    """The request that was refused, when it is known."""
    message: str
    """The name exactly as it came: ``FLOOD_WAIT_31``."""

    advice: ClassVar[str] = "Telegram refused the call."

    def __init__(
        self,
        code: int,
        name: str,
        value: int | None = None,
        request: object | None = None,
        *,
        message: str | None = None,
    ) -> None:
        super().__init__(code, name, value)
        self.code = code
        self.name = name
        self.value = value
        self.request = request
        if message is None:
            message = name if value is None else _X.sub(str(value), name)
        self.message = message

    def __str__(self) -> str:
        """Return what happened and what to do, then name, code and method."""
        known = _table().get(type(self).__name__)
        sentence = known.sentence if known else ""
        if sentence:
            number = "an unknown number of" if self.value is None else str(self.value)
            sentence = sentence.replace("{value}", number)
        else:
            sentence = f"{paraphrase(self.name)} {self.advice}"
        source = ""
        if self.request is not None:
            method = type(self.request)
            source = f", answer to {getattr(method, 'TL_NAME', method.__name__)}"
        return _printable(f"{sentence} [{self.code} {self.message}{source}]")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy by what came over the wire: the class may not exist yet over there."""
        return rpc_error, (self.code, self.message, self.request)


class SeeOther(RpcError):
    """Another data centre has to be asked (303)."""

    advice = "Ask the data centre that the error names."


class BadRequest(RpcError):
    """A parameter of the request is not accepted (400)."""

    advice = "Correct the request: sent again as it is, it gets the same answer."


class Unauthorized(RpcError):
    """The session may not act as anybody (401)."""

    advice = "Log in, or log in again."


class Forbidden(RpcError):
    """The account may not do this (403)."""

    advice = "This account lacks the right to do it."


class NotFound(RpcError):
    """There is no such thing (404)."""

    advice = "What the request names does not exist."


class NotAcceptable(RpcError):
    """Refused like 400 or 403, but an app need not show it to its user (406)."""

    advice = "The request is not acceptable as it is."


class Flood(RpcError):
    """Too much was asked too fast (420)."""

    advice = "Ask less often."


class ServerError(RpcError):
    """Trouble on Telegram's side (500, 503 and their negatives)."""

    advice = "The trouble is on the server's side: try again later."


class Wait(RpcError):
    """An error that passes by itself."""

    @property
    def seconds(self) -> int:
        """How long to wait before the same request may succeed."""
        return self.value or 0


class Migrate(RpcError):
    """The request belongs to another data centre."""

    @property
    def dc(self) -> int:
        """Number of the data centre to ask; 0 if the error did not say."""
        return self.value or 0


class Known(NamedTuple):
    """What ``errors.tsv`` tells about one class of errors."""

    name: str
    """Telegram's name; of two names for one class (TIMEOUT, Timeout) the first listed."""
    codes: tuple[int, ...]
    sentence: str
    """Our explanation, ``{value}`` for the number; empty where nobody wrote one yet."""


MAX_NAME = 128
"""Longer names than this get no class of their own."""
MAX_FOREIGN = 1000
"""So many unknown names get a class each; a server that goes on inventing gets the plain kinds."""

_WELL_FORMED = re.compile(r"[A-Za-z0-9]+(?:[_ ]+[A-Za-z0-9]+)*")
_CLASS_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_X = re.compile(r"(?<=_)X(?=_|MIN|$)")
_MAX_DIGITS = 19
_DIGIT_WORDS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_TEXT_VALUES = (
    "RECAPTCHA_CHECK_",
    "APNS_VERIFY_CHECK_",
    "INTEGRITY_CHECK_CLASSIC_",
    "METHOD_INVALID_",  # and the method, as Radiogram's own server tells what it does not have
)
"""Prefixes after which a text, not a number, follows: it stays in ``message`` only."""
_WAITS = ("Wait", "Delay", "TooFresh", "TooEarly")

_known: dict[str, Known] = {}
_classes: dict[str, type[RpcError]] = {}
_of_code: dict[tuple[type[RpcError], type[RpcError]], type[RpcError]] = {}
_foreign: set[str] = set()


def rpc_error(code: int, message: str, request: object | None = None) -> RpcError:
    """Make the error that a server's ``rpc_error`` means.

    ``message`` may be any text of any length: it is hostile until parsed. A name that is not
    well formed becomes an instance of the plain class of its code.
    """
    name, value = parse_name(message)
    cls = _class_for(code, class_name(name))
    return cls(code, name, value, request, message=message[: MAX_NAME + 1])


def parse_name(message: str) -> tuple[str, int | None]:
    """Split ``FILE_PART_3_MISSING`` into ``FILE_PART_X_MISSING`` and 3."""
    message = message[: MAX_NAME + 1]
    for prefix in _TEXT_VALUES:
        if message.startswith(prefix):
            return prefix + "X", None
    if len(message) > MAX_NAME or not _WELL_FORMED.fullmatch(message):
        return message if len(message) <= MAX_NAME else message[: MAX_NAME - 1] + "…", None
    value = None
    words = message.split("_")
    for index, word in enumerate(words):
        number = word.removesuffix("MIN")  # ..._ACTIVE_WAIT_5MIN
        if number.isdigit() and len(number) <= _MAX_DIGITS and len(words) > 1:
            words[index] = "X" + word[len(number) :]
            if value is None:
                value = int(number)
    return "_".join(words), value


def class_name(name: str) -> str:
    """Return ``FloodWait`` for ``FLOOD_WAIT_X``; an empty string if it cannot be a class's."""
    if len(name) > MAX_NAME or not _WELL_FORMED.fullmatch(name):
        return ""
    words = [word for word in re.split("[_ ]+", name) if word != "X"]
    if words and words[0][0].isdigit():  # 2FA_CONFIRM_WAIT_X -> TwoFaConfirmWait
        words[0] = _DIGIT_WORDS[int(words[0][0])] + words[0][1:].capitalize()
    # MESSAGE_ID and msgs_ack are words to capitalise, ApiCallError is capitalised already.
    return "".join(
        word if word != word.upper() and word[0].isupper() else word.capitalize() for word in words
    )


def known_errors() -> dict[str, Known]:
    """Return a copy of the table of known errors, by the name of their class."""
    return dict(_table())


def _table() -> dict[str, Known]:
    if not _known:
        # Only for whoever meets an error: importing this module must cost nothing.
        from importlib.resources import files

        text = files("radiogram").joinpath("errors.tsv").read_text("utf-8")
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, codes, sentence = line.split("\t")
            key = class_name(name)
            before = _known.get(key, Known(name, (), ""))
            numbers = dict.fromkeys([*before.codes, *map(int, codes.split(","))])
            _known[key] = Known(before.name, tuple(numbers), before.sentence or sentence)
    return _known


def _kind(code: int) -> type[RpcError]:
    return _KINDS.get(code, ServerError if 500 <= abs(code) <= 599 else RpcError)


def _class(name: str) -> type[RpcError]:
    """Return the class of a name, making it at the first call."""
    cls = _classes.get(name)
    if cls is None:
        known = _table().get(name)
        kinds = {_kind(code) for code in known.codes} if known else set()
        bases: list[type[RpcError]] = []
        if name.endswith(_WAITS):
            bases.append(Wait)
        elif name.endswith("Migrate"):
            bases.append(Migrate)
        if len(kinds) == 1:
            bases.extend(kinds)
        telegrams = known.name if known else name
        doc = known.sentence if known and known.sentence else paraphrase(telegrams)
        body = {"__doc__": doc, "__module__": __name__}
        cls = _classes[name] = type(name, tuple(bases) or (RpcError,), body)
    return cls


def _class_for(code: int, name: str) -> type[RpcError]:
    """Return a class that is both of the name and of the kind of the code."""
    kind = _kind(code)
    if not _CLASS_NAME.fullmatch(name) or name in globals():
        return kind  # FLOOD or SECURITY_ERROR must not be taken for our own classes
    if name not in _classes and name not in _table():
        if len(_foreign) >= MAX_FOREIGN:
            return kind
        _foreign.add(name)
    cls = _class(name)
    if issubclass(cls, kind):
        return cls
    # CHANNEL_PRIVATE comes with 400, 403 and 406: each is a ChannelPrivate and of its own kind.
    both = _of_code.get((cls, kind))
    if both is None:
        body = {"__doc__": cls.__doc__, "__module__": __name__}
        both = _of_code[cls, kind] = type(name, (cls, kind), body)
    return both


def _printable(text: str) -> str:
    """Keep control characters, which a peer may have put into a name, off the terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def paraphrase(name: str) -> str:
    """Say in words what a name says, for errors without a sentence of their own."""
    words = " ".join(word for word in re.split("[_ ]+", name) if word != "X").lower()
    for ending, meaning in _MEANINGS:
        subject = words.removesuffix(ending)
        if subject != words and subject.strip():
            return f"{subject.strip().capitalize()} {meaning}."
    return f"{words.strip().capitalize() or 'Unnamed error'}."


if not TYPE_CHECKING:  # a type checker knows the names by heart, and so finds misspelt ones

    def __getattr__(name: str) -> type[RpcError]:
        """Make ``errors.MessageIdInvalid`` and any other class of errors that a program names."""
        if not _CLASS_NAME.fullmatch(name) or name.isupper() or len(name) > MAX_NAME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _class(name)


_KINDS: dict[int, type[RpcError]] = {
    303: SeeOther,
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    406: NotAcceptable,
    420: Flood,
}

_MEANINGS = (
    (" not modified", "is the same as before, nothing was changed"),
    (" not found", "was not found"),
    (" not allowed", "is not allowed here"),
    (" not available", "is not available"),
    (" invalid", "is not valid"),
    (" empty", "is empty"),
    (" missing", "is missing"),
    (" required", "is required"),
    (" forbidden", "is forbidden here"),
    (" expired", "has expired"),
    (" too long", "is too long"),
    (" too short", "is too short"),
    (" too much", "are more than the limit"),
    (" too big", "is too big"),
    (" too large", "is too large"),
    (" disabled", "is disabled"),
    (" restricted", "is restricted"),
    (" unsupported", "is not supported"),
    (" occupied", "is taken"),
    (" failed", "failed"),
    (" migrate", "is on another data centre"),
    (" wait", "requires a pause"),
)
