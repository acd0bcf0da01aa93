"""Server layer: contacts.*: finding people, the address book and the list of those blocked (C2).

Knows the tables of both lists. Privacy is open: everybody is found by number and by name.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from radiogram.server import (
    accounts,
    address_book,
    audience,
    chat_store,
    peers,
    render,
    text,
    user_store,
)
from radiogram.server.chat_store import ChatRow
from radiogram.server.handlers.users import settings_of
from radiogram.server.peers import Room
from radiogram.server.rows import Peer
from radiogram.server.rpc import Context, RpcFault, handles
from radiogram.server.tables import PEER_USER, blocked, contacts, dialogs, members, users
from radiogram.tl import api

GLOBAL_QUERY = 3
"""Characters from which contacts.search looks beyond the caller's own people."""
MAX_FOUND = 50
MAX_BLOCKED = 100


# ------------------------------------------------------------------ finding


@handles(api.contacts.ResolveUsername)
def resolve_username(
    ctx: Context, request: api.contacts.ResolveUsername
) -> api.contacts.ResolvedPeer:
    username = request.username.removeprefix("@")
    if not accounts.is_username(username):
        raise RpcFault(400, "USERNAME_INVALID")
    row = accounts.by_username(ctx.tx, username)
    if row is not None:
        return _resolved(ctx, row.id)
    chat = chat_store.find_by_username(ctx.tx, username)
    if chat is None or chat.deleted:
        raise RpcFault(400, "USERNAME_NOT_OCCUPIED")
    shown = render.People(ctx.tx, ctx.now).mentioned(ctx.user_id, chats=[chat.id])
    return api.contacts.ResolvedPeer(peer=api.PeerChannel(channel_id=chat.id), **shown)


@handles(api.contacts.ResolvePhone, bots=False)
def resolve_phone(ctx: Context, request: api.contacts.ResolvePhone) -> api.contacts.ResolvedPeer:
    phone = accounts.normalise_phone(request.phone)
    row = accounts.by_phone(ctx.tx, phone) if phone else None
    if row is None or row.deleted:
        raise RpcFault(400, "PHONE_NOT_OCCUPIED")
    return _resolved(ctx, row.id)


def _resolved(ctx: Context, user_id: int) -> api.contacts.ResolvedPeer:
    return api.contacts.ResolvedPeer(
        peer=api.PeerUser(user_id=user_id), chats=[], users=_seen(ctx, [user_id])
    )


@handles(api.contacts.Search, bots=False)
def search(ctx: Context, request: api.contacts.Search) -> api.contacts.Found:
    query = text.clean(request.q).strip().removeprefix("@")
    if not query:
        raise RpcFault(400, "SEARCH_QUERY_EMPTY")
    limit = min(request.limit, MAX_FOUND) if request.limit > 0 else MAX_FOUND
    mine = (
        select(contacts.c.user_id)
        .where(contacts.c.owner_id == ctx.user_id)
        .union(
            select(dialogs.c.peer_id).where(
                dialogs.c.user_id == ctx.user_id, dialogs.c.peer_type == PEER_USER
            )
        )
    )
    pattern = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    named = or_(
        users.c.username_key.like(pattern.casefold(), escape="\\"),
        users.c.first_name.ilike(pattern, escape="\\"),
        users.c.last_name.ilike(pattern, escape="\\"),
    )
    of_mine = (
        select(users.c.id)
        .where(named, users.c.id.in_(mine), ~users.c.deleted)
        .order_by(users.c.id)
        .limit(limit)
    )
    if request.bots:
        of_mine = of_mine.where(users.c.is_bot)
    my_results = list(ctx.tx.execute(of_mine).scalars())
    results: list[int] = []
    if len(query) >= GLOBAL_QUERY and not request.broadcasts:
        of_all = (
            select(users.c.id)
            .where(
                users.c.username_key.like(pattern.casefold(), escape="\\"),
                users.c.id.not_in(my_results),
                ~users.c.deleted,
            )
            .order_by(users.c.username_key)
            .limit(limit)
        )
        if request.bots:
            of_all = of_all.where(users.c.is_bot)
        results = list(ctx.tx.execute(of_all).scalars())
    my_chats, public = ([], []) if request.bots else _search_chats(ctx, request, query, limit)
    mine_too: list[api.TypePeer] = [render.peer(chat.peer) for chat in my_chats]
    others: list[api.TypePeer] = [render.peer(chat.peer) for chat in public]
    people = render.People(ctx.tx, ctx.now)
    return api.contacts.Found(
        my_results=[api.PeerUser(user_id=number) for number in my_results] + mine_too,
        results=[api.PeerUser(user_id=number) for number in results] + others,
        chats=people.chats_seen_by(ctx.user_id, [chat.id for chat in (*my_chats, *public)]),
        users=people.seen_by(ctx.user_id, my_results + results),
    )


def _search_chats(
    ctx: Context, request: api.contacts.Search, query: str, limit: int
) -> tuple[list[ChatRow], list[ChatRow]]:
    """Find groups and channels: those that the caller is in by title, public ones by name."""
    inside = members.c.state == chat_store.MEMBER
    found = chat_store.select_chats_of(ctx.tx, ctx.user_id, inside, groups=True)
    mine = [
        chat
        for chat in found
        if f" {query.casefold()}" in f" {chat.title.casefold()}"
        or (chat.username or "").casefold().startswith(query.casefold())
    ]
    public = []
    if len(query) >= GLOBAL_QUERY:
        known = {chat.id for chat in mine}
        named = chat_store.search_public(ctx.tx, query, limit=limit + len(known))
        people = render.People(ctx.tx, ctx.now)
        shown = people.chats_seen_by(ctx.user_id, [chat.id for chat in named])
        open_ids = {chat.id for chat in shown if isinstance(chat, api.Channel)}
        public = [chat for chat in named if chat.id in open_ids - known]
    if request.broadcasts:
        mine = [chat for chat in mine if chat.is_broadcast]
        public = [chat for chat in public if chat.is_broadcast]
    return mine[:limit], public[:limit]


# ------------------------------------------------------------------ the address book


@handles(api.contacts.GetContacts, bots=False)
def get_contacts(ctx: Context, request: api.contacts.GetContacts) -> api.contacts.TypeContacts:
    rows = ctx.tx.execute(
        select(contacts.c.user_id, contacts.c.mutual)
        .where(contacts.c.owner_id == ctx.user_id)
        .order_by(contacts.c.user_id)
    ).all()
    if request.hash and request.hash == _hash([len(rows), *(row.user_id for row in rows)]):
        return api.contacts.ContactsNotModified()
    return api.contacts.Contacts(
        contacts=[api.Contact(user_id=row.user_id, mutual=row.mutual) for row in rows],
        saved_count=len(rows),
        users=_seen(ctx, [row.user_id for row in rows]),
    )


@handles(api.contacts.GetStatuses, bots=False)
def get_statuses(ctx: Context, request: api.contacts.GetStatuses) -> list[api.ContactStatus]:
    ids = ctx.tx.execute(
        select(contacts.c.user_id)
        .where(contacts.c.owner_id == ctx.user_id)
        .order_by(contacts.c.user_id)
    ).scalars()
    rows = user_store.load_users(ctx.tx, list(ids))
    return [
        api.ContactStatus(user_id=number, status=render.status(row, ctx.now))
        for number, row in sorted(rows.items())
        if not row.is_bot and not row.deleted
    ]


@handles(api.contacts.ImportContacts, bots=False)
def import_contacts(
    ctx: Context, request: api.contacts.ImportContacts
) -> api.contacts.ImportedContacts:
    imported = []
    for entry in request.contacts:
        if not isinstance(entry, api.InputPhoneContact):
            continue
        phone = accounts.normalise_phone(entry.phone)
        row = accounts.by_phone(ctx.tx, phone) if phone else None
        if phone and row is None:
            address_book.await_account(
                ctx, phone, entry.first_name.strip(), entry.last_name.strip()
            )
        if row is None or row.deleted or row.id == ctx.user_id:
            continue
        address_book.save(
            ctx,
            ctx.user_id,
            row.id,
            phone=phone,
            first_name=entry.first_name.strip() or row.first_name,
            last_name=entry.last_name.strip(),
        )
        imported.append(api.ImportedContact(user_id=row.id, client_id=entry.client_id))
    ids = [one.user_id for one in imported]
    _tell_settings(ctx, ids)
    return api.contacts.ImportedContacts(
        imported=imported, popular_invites=[], retry_contacts=[], users=_seen(ctx, ids)
    )


@handles(api.contacts.AddContact, bots=False)
def add_contact(ctx: Context, request: api.contacts.AddContact) -> api.TypeUpdates:
    target = peers.resolve_user(ctx, request.id)
    if target.id == ctx.user_id or target.deleted:
        raise RpcFault(400, "CONTACT_ID_INVALID")
    first_name = request.first_name.strip()
    if not first_name:
        raise RpcFault(400, "CONTACT_NAME_EMPTY")
    address_book.save(
        ctx,
        ctx.user_id,
        target.id,
        phone=accounts.normalise_phone(request.phone) or None,
        first_name=first_name,
        last_name=request.last_name.strip(),
    )
    return _tell_settings(ctx, [target.id])


@handles(api.contacts.DeleteContacts, bots=False)
def delete_contacts(ctx: Context, request: api.contacts.DeleteContacts) -> api.TypeUpdates:
    ids = [peers.resolve_user(ctx, item).id for item in request.id]
    return _tell_settings(ctx, _delete(ctx, ids))


@handles(api.contacts.DeleteByPhones, bots=False)
def delete_by_phones(ctx: Context, request: api.contacts.DeleteByPhones) -> bool:
    phones = [accounts.normalise_phone(phone) for phone in request.phones]
    address_book.forget_awaited(ctx, phones)
    rows = (accounts.by_phone(ctx.tx, phone) for phone in phones if phone)
    _tell_settings(ctx, _delete(ctx, [row.id for row in rows if row is not None]))
    return True


def _delete(ctx: Context, ids: list[int]) -> list[int]:
    """Delete entries of the caller's address book; return whom there was one of."""
    mine = (contacts.c.owner_id == ctx.user_id, contacts.c.user_id.in_(ids))
    gone = list(ctx.tx.execute(select(contacts.c.user_id).where(*mine)).scalars())
    ctx.tx.execute(delete(contacts).where(*mine))
    ctx.tx.execute(
        update(contacts)
        .where(contacts.c.owner_id.in_(ids), contacts.c.user_id == ctx.user_id)
        .values(mutual=False)
    )
    return gone


def _tell_settings(ctx: Context, ids: list[int]) -> api.Updates:
    """Tell the caller's other sessions that people became contacts, or are none any more."""
    changes: list[api.TypeUpdate] = []
    for user_id in ids:
        me = user_store.load_sides(ctx.tx, ctx.user_id, user_id)[ctx.user_id]
        changes.append(
            api.UpdatePeerSettings(
                peer=api.PeerUser(user_id=user_id), settings=settings_of(me, myself=False)
            )
        )
    updates = audience.wrap(ctx, ctx.user_id, changes, ids)
    if changes:
        ctx.push(ctx.user_id, updates)
    return updates


# ------------------------------------------------------------------ who is blocked


@handles(api.contacts.Block, bots=False)
def block(ctx: Context, request: api.contacts.Block) -> bool:
    peer = _blockable(ctx, request.id)
    if not _is_blocked(ctx, peer):
        ctx.tx.execute(
            insert(blocked).values(
                owner_id=ctx.user_id, peer_type=peer.type, peer_id=peer.id, date=ctx.now
            )
        )
        _tell_blocked(ctx, peer, is_blocked=True)
    return True


@handles(api.contacts.Unblock, bots=False)
def unblock(ctx: Context, request: api.contacts.Unblock) -> bool:
    peer = _blockable(ctx, request.id)
    if _is_blocked(ctx, peer):
        ctx.tx.execute(delete(blocked).where(*_entry(ctx, peer)))
        _tell_blocked(ctx, peer, is_blocked=False)
    return True


@handles(api.contacts.GetBlocked, bots=False)
def get_blocked(ctx: Context, request: api.contacts.GetBlocked) -> api.contacts.TypeBlocked:
    mine = blocked.c.owner_id == ctx.user_id
    count = ctx.tx.execute(select(func.count()).select_from(blocked).where(mine)).scalar_one()
    limit = min(request.limit, MAX_BLOCKED) if request.limit > 0 else MAX_BLOCKED
    offset = max(request.offset, 0)
    rows = ctx.tx.execute(
        select(blocked)
        .where(mine)
        .order_by(blocked.c.date.desc(), blocked.c.peer_id)
        .offset(offset)
        .limit(limit)
    ).all()
    entries = [
        api.PeerBlocked(peer_id=render.peer((row.peer_type, row.peer_id)), date=row.date)
        for row in rows
    ]
    people = _seen(ctx, [row.peer_id for row in rows if row.peer_type == PEER_USER])
    if len(rows) == count:
        return api.contacts.Blocked(blocked=entries, chats=[], users=people)
    return api.contacts.BlockedSlice(count=count, blocked=entries, chats=[], users=people)


def _blockable(ctx: Context, peer: api.TypeInputPeer) -> Peer:
    target = peers.resolve(ctx, peer)
    if isinstance(target, Room) or target.is_self:
        raise RpcFault(400, "CONTACT_ID_INVALID")
    return target.peer


def _entry(ctx: Context, peer: Peer) -> tuple[ColumnElement[bool], ...]:
    return (
        blocked.c.owner_id == ctx.user_id,
        blocked.c.peer_type == peer.type,
        blocked.c.peer_id == peer.id,
    )


def _is_blocked(ctx: Context, peer: Peer) -> bool:
    found = ctx.tx.execute(select(blocked.c.date).where(*_entry(ctx, peer))).first()
    return found is not None


def _tell_blocked(ctx: Context, peer: Peer, *, is_blocked: bool) -> None:
    update = api.UpdatePeerBlocked(peer_id=render.peer(peer), blocked=is_blocked)
    ctx.push(ctx.user_id, audience.wrap(ctx, ctx.user_id, [update], [peer.id]))


# ------------------------------------------------------------------ shared


def _seen(ctx: Context, ids: Iterable[int]) -> list[api.TypeUser]:
    return render.People(ctx.tx, ctx.now).seen_by(ctx.user_id, ids)


def _hash(numbers: Iterable[int]) -> int:
    """Return the hash by which a client names the list that it has (C0.4)."""
    value = 0
    for number in numbers:
        value ^= value >> 21
        value ^= value << 35 & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 4
        value = (value + number) & 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >> 63 else value
