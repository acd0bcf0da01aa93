"""Server layer: the bot that an account has connected, and calls over that connection.

Knows what an owner may choose and what the bot may ask. What a connection allows is the matter
of :mod:`radiogram.server.business`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from radiogram.server import business, peers, render, user_store
from radiogram.server.business import Link
from radiogram.server.dispatch import find_handler
from radiogram.server.peers import Private
from radiogram.server.rights import to_mask
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.updates import Changes
from radiogram.tl import api
from radiogram.tl.base import Request

# ------------------------------------------------------------------ calls of the bot


@handles(api.InvokeWithBusinessConnection)
def invoke_with_business_connection(
    ctx: Context, request: api.InvokeWithBusinessConnection[Any]
) -> object:
    """Execute the bot's call as one of the owner; the result is the bot's (B6.18)."""
    bot_id = ctx.user_id
    call = business.enter(ctx, request.connection_id, cast(Request[Any], request.query))
    handler = find_handler(call, ctx.caller.authorization, ctx.world)
    return business.shown_to(ctx, bot_id, handler.function(ctx, call))


@handles(api.account.GetBotBusinessConnection)
def get_bot_business_connection(
    ctx: Context, request: api.account.GetBotBusinessConnection
) -> api.TypeUpdates:
    """Tell a bot of one of its connections, also of one that has ended."""
    link = business.find(ctx.tx, request.connection_id)
    if link is None or link.bot_id != ctx.user_id:
        raise RpcFault(400, "CONNECTION_ID_INVALID")
    bot = user_store.load_users(ctx.tx, [ctx.user_id])[ctx.user_id]
    said = api.UpdateBotBusinessConnect(connection=business.connection(ctx, link), qts=bot.qts)
    return Changes(ctx, render.People(ctx.tx, ctx.now)).say(ctx.user_id, [said])


# ------------------------------------------------------------------ choices of the owner


@handles(api.account.UpdateConnectedBot, bots=False)
def update_connected_bot(ctx: Context, request: api.account.UpdateConnectedBot) -> api.TypeUpdates:
    """Connect a bot, change what it may do, or end its connection."""
    bot = peers.resolve_user(ctx, request.bot)
    if not bot.is_bot or bot.deleted:
        raise RpcFault(400, "BOT_BUSINESS_MISSING")
    changes = Changes(ctx, render.People(ctx.tx, ctx.now))
    old = business.of_owner(ctx.tx, ctx.user_id)
    if request.deleted:
        if old is not None and old.bot_id == bot.id:
            _end(ctx, changes, old)
    else:
        recipients = _recipients(ctx, request.recipients)
        mask = to_mask(request.rights, business.RIGHTS) if request.rights is not None else 0
        if old is not None and old.bot_id == bot.id:
            link = old._replace(rights=mask, recipients=recipients)
        else:
            if old is not None:
                _end(ctx, changes, old)
            number = business.new_id(ctx)
            link = Link(ctx.user_id, number, bot.id, ctx.now, mask, recipients, disabled=False)
        if link != old:
            business.save(ctx.tx, link)
            business.tell(ctx, changes, link)
    changes.finish()
    return changes.say(ctx.user_id, [])


@handles(api.account.GetConnectedBots, bots=False)
def get_connected_bots(
    ctx: Context, request: api.account.GetConnectedBots
) -> api.account.ConnectedBots:
    link = business.of_owner(ctx.tx, ctx.user_id)
    if link is None:
        return api.account.ConnectedBots(connected_bots=[], users=[])
    bot = api.ConnectedBot(
        bot_id=link.bot_id, recipients=link.recipients, rights=business.rights(link.rights)
    )
    shown = (link.bot_id, *(bot.recipients.users or ()), *(bot.recipients.exclude_users or ()))
    return api.account.ConnectedBots(
        connected_bots=[bot],
        users=render.People(ctx.tx, ctx.now).seen_by(ctx.user_id, shown),
    )


@handles(api.account.ToggleConnectedBotPaused, bots=False)
def toggle_connected_bot_paused(
    ctx: Context, request: api.account.ToggleConnectedBotPaused
) -> bool:
    """Keep the bot out of one private chat until it is let in again."""
    peer_id = _other(ctx, request.peer)
    link = business.of_owner(ctx.tx, ctx.user_id)
    if link is None or not business.is_chosen(ctx.tx, link, peer_id):
        return False
    business.pause(ctx.tx, ctx.user_id, peer_id, paused=request.paused)
    return True


@handles(api.account.DisablePeerConnectedBot, bots=False)
def disable_peer_connected_bot(ctx: Context, request: api.account.DisablePeerConnectedBot) -> bool:
    """Take one private chat out of those that the bot was connected to."""
    peer_id = _other(ctx, request.peer)
    link = business.of_owner(ctx.tx, ctx.user_id)
    if link is None:
        raise RpcFault(400, "BOT_NOT_CONNECTED_YET")
    if not business.is_chosen(ctx.tx, link, peer_id):
        raise RpcFault(400, "BOT_ALREADY_DISABLED")
    fewer = business.without(link.recipients, peer_id)
    business.save(ctx.tx, link._replace(recipients=fewer))
    return True


def _end(ctx: Context, changes: Changes, link: Link) -> None:
    """End a connection; its bot is told."""
    ended = link._replace(disabled=True)
    business.save(ctx.tx, ended)
    business.pause(ctx.tx, link.user_id, None, paused=False)
    business.tell(ctx, changes, ended)


def _other(ctx: Context, peer: api.TypeInputPeer) -> int:
    """Return with whom a private chat is."""
    target = peers.resolve(ctx, peer)
    if not isinstance(target, Private) or target.is_self:
        raise RpcFault(400, "PEER_ID_INVALID")
    return target.other.user.id


def _recipients(
    ctx: Context, given: api.TypeInputBusinessBotRecipients
) -> api.BusinessBotRecipients:
    """Return the owner's choice of chats; one without any is refused."""
    users = _ids(ctx, given.users)
    excluded = _ids(ctx, given.exclude_users)
    if given.exclude_selected:  # all but the selected ones: there is nothing to leave out of those
        users, excluded = list(dict.fromkeys([*users, *excluded])), []
    elif not (
        users or given.existing_chats or given.new_chats or given.contacts or given.non_contacts
    ):
        raise RpcFault(400, "BUSINESS_RECIPIENTS_EMPTY")
    return api.BusinessBotRecipients(
        existing_chats=given.existing_chats,
        new_chats=given.new_chats,
        contacts=given.contacts,
        non_contacts=given.non_contacts,
        exclude_selected=given.exclude_selected,
        users=users or None,
        exclude_users=excluded or None,
    )


def _ids(ctx: Context, named: Sequence[api.TypeInputUser] | None) -> list[int]:
    return list(dict.fromkeys(peers.resolve_user(ctx, user).id for user in named or ()))
