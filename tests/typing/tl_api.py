"""What type checkers know of TL objects: read by mypy and pyright, never run.

A line that must be refused carries an ignore; checkers complain where it is not needed.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import TypeVar, assert_type

from radiogram.tl import api, mtproto
from radiogram.tl.base import Request

R = TypeVar("R")


def answer(request: Request[R]) -> R:
    raise NotImplementedError


pin = api.messages.UpdatePinnedMessage(peer="username", id=43, unpin=True, pm_oneside=True)
assert_type(pin.id, int)
assert_type(pin.unpin, bool)
assert_type(pin.peer, api.TypeInputPeer)

# The answer follows from the request, through wrappers too.
assert_type(answer(pin), api.TypeUpdates)
assert_type(answer(api.messages.DeleteMessages(id=[1, 2])), api.messages.AffectedMessages)
assert_type(answer(api.account.CheckUsername(username="name")), bool)
assert_type(answer(api.users.GetUsers(id=["me"])), list[api.TypeUser])
assert_type(answer(api.messages.GetMessagesViews(peer=1, id=[1], increment=False)).views,
            list[api.TypeMessageViews])  # fmt: skip
assert_type(answer(api.InvokeWithLayer(layer=api.LAYER, query=pin)), api.TypeUpdates)
assert_type(answer(mtproto.Ping(ping_id=1)), mtproto.Pong)

# Whatever names a peer will do for one, at any depth; what is made up may be left out.
api.messages.SendMessage(peer=api.InputPeerSelf(), message="text")
api.messages.SendMessage(peer=-1001234567890, message="text", random_id=5)
api.messages.SendMessage(peer=api.User(id=1), message="text")
api.messages.GetMessages(id=[1, api.InputMessagePinned()])
api.InputMediaContact(phone_number="1", first_name="a", last_name="b", vcard="")
peer: api.PeerLike = "@username"

# Lists of one constructor fit where lists of the union are wanted.
bold = [api.MessageEntityBold(offset=0, length=1)]
api.messages.SendMessage(peer="me", message="a", entities=bold)
page = api.messages.MessagesSlice(count=1, messages=[], topics=[], chats=[], users=[])
assert_type(page.messages, list[api.TypeMessage])

# Names that mean something else in Python.
header = api.MessageFwdHeader(date=1, from_name="x")
assert_type(api.PhotoStrippedSize(type="i", bytes=b"").bytes, bytes)
assert_type(api.User(id=1, self=True).self, bool)
assert_type(api.True_(), api.True_)


def unions(update: api.TypeUpdates) -> None:
    if isinstance(update, api.Updates):
        assert_type(update.users, list[api.TypeUser])
    match update:
        case api.UpdateShort(update=inner):
            assert_type(inner, api.TypeUpdate)
        case _:
            pass


def narrow(value: object) -> None:
    if isinstance(value, api.TypeInputPeer):
        assert_type(value, api.TypeInputPeer)


api.messages.UpdatePinnedMessage("username", 43)  # type: ignore[call-arg, arg-type]
api.messages.UpdatePinnedMessage(peer="username", id="43")  # type: ignore[arg-type]
api.messages.UpdatePinnedMessage(peer="username", pmOneside=True, id=43)  # type: ignore[call-arg]
api.messages.UpdatePinnedMessage(peer="username")  # type: ignore[call-arg]
api.messages.UpdatePinnedMessage(peer=b"username", id=43)  # type: ignore[arg-type]
api.Updates(updates=[api.User(id=1)], users=[], chats=[], date=1, seq=0)  # type: ignore[list-item]
