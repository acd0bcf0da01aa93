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
    │   ├── ClientClosed        the client was disconnected, or never connected
    │   ├── PeerNotFound        no peer is known by that name, number or id
    │   └── SessionError        a session string or file cannot be used
    └── RpcError                Telegram answered a call with an error

Subclasses of :class:`RpcError` exist on demand: ``errors.FloodWait``,
``errors.MessageIdInvalid`` ...
"""

from __future__ import annotations


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


class ClientClosed(ClientError):
    """The client was disconnected, or was never connected."""


class PeerNotFound(ClientError, LookupError):
    """No peer is known by that username, phone number or id."""


class SessionError(ClientError, ValueError):
    """A session string or file cannot be used."""
