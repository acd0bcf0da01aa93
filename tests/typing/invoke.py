"""What type checkers see in calls; checked by mypy and pyright, never run."""

from __future__ import annotations

from typing import assert_type

from radiogram import ServerAddress, TelegramClient, api, errors
from radiogram.sessions import MemorySession, Session, StringSession
from radiogram.types import User


async def calls(client: TelegramClient) -> None:
    pinned = await client.invoke(
        api.messages.UpdatePinnedMessage(peer="username", id=43, unpin=True, pm_oneside=True)
    )
    assert_type(pinned, api.TypeUpdates)
    reveal_type(pinned)  # noqa: F821 - a name that only type checkers know

    assert_type(await client(api.help.GetConfig()), api.Config)
    assert_type(await client.invoke(api.account.CheckUsername(username="x")), bool)
    assert_type(await client.invoke(api.users.GetUsers(id=["me"])), list[api.TypeUser])
    assert_type(
        await client.invoke(api.InvokeWithoutUpdates(query=api.help.GetNearestDc())),
        api.NearestDc,
    )


async def requests(client: TelegramClient, user: api.User) -> None:
    await client.invoke(api.messages.SendMessage(peer=user, message="no random_id"))
    await client.invoke(api.messages.ForwardMessages(from_peer=1, id=[1], to_peer="@name"))
    await client.invoke(api.messages.GetMessages(id=[1, 2]))


async def mistakes(client: TelegramClient) -> None:
    await client.invoke(api.InputPeerSelf())  # type: ignore[arg-type]
    await client.invoke("help.getConfig")  # type: ignore[arg-type]
    api.messages.SendMessage(peer="me", mesage="x")  # type: ignore[call-arg]
    api.messages.SendMessage("me", "x")  # type: ignore[call-arg, arg-type]
    api.messages.NoSuchMethod()  # type: ignore[attr-defined]


async def life(session: Session) -> None:
    address = ServerAddress("127.0.0.1", 443, 2, "-----BEGIN RSA PUBLIC KEY-----")
    async with TelegramClient(session, 1, "hash", server=address) as client:
        assert_type(client, TelegramClient)
        assert_type(await client.start(phone="+1", code=lambda: "1"), User)
        assert_type(await client.get_me(), User)
        assert_type(await client.is_authorized(), bool)
        async for update in client.updates():
            assert_type(update, api.TypeUpdates)
    StringSession("").save()
    TelegramClient(MemorySession(), 1, "hash")
    TelegramClient("", 1, "hash")


def error(flood: errors.FloodWait) -> int:
    return flood.seconds
