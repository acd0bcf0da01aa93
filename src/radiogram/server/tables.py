"""Server layer: the tables.

The truth about accounts, message boxes and authorisation keys lives here and nowhere else; the
process keeps no copy. Knows SQL (SQLAlchemy Core) and nothing of TL, MTProto or handlers.

A message is stored once (``messages``, by content id) and has one row in ``boxes`` for each box
that holds a copy (B1.1, B1.2): the copy has the box's own id, the box's own peer, and its own pin.
Each change of a box is also a row of ``events``, keyed by the pts that it led to (C0.3.2).

The common box of an account has the account's id. A supergroup or broadcast channel has one box
for everybody, whose id is the channel's with a minus; its pts and next message id are columns
of ``chats``, as those of an account are columns of ``users``.

Only portable SQL is used. What is said for one database alone (clustered keys, partial
indexes) is an optimisation that others ignore.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 3
"""Raised with every change of the tables below."""

PEER_USER = 1
PEER_CHAT = 2
PEER_CHANNEL = 3
"""Values of the ``peer_type`` columns; ids of the three kinds are separate spaces (D12)."""

metadata = MetaData()

# SQLite numbers rows by itself only where the type is spelled INTEGER.
_RowId = BigInteger().with_variant(Integer, "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("phone", String(32), unique=True),
    Column("first_name", Text, nullable=False, default=""),
    Column("last_name", Text, nullable=False, default=""),
    Column("username", String(32)),
    Column("username_key", String(32), unique=True),  # the username case-folded
    Column("about", Text, nullable=False, default=""),
    Column("is_bot", Boolean, nullable=False, default=False),
    Column("dc_id", Integer, nullable=False, default=0),  # where it lives; 0: in the server's DC
    Column("bot_token", String(128), unique=True),
    Column("deleted", Boolean, nullable=False, default=False),
    Column("pts", Integer, nullable=False, default=1),
    Column("qts", Integer, nullable=False, default=0),
    Column("next_message_id", Integer, nullable=False, default=1),
    Column("access_secret", LargeBinary(32), nullable=False),  # keys this viewer's access hashes
    Column("login_code", String(16)),
    Column("online_until", Integer, nullable=False, default=0),  # 0: was never online
    Column("limited", Boolean, nullable=False, default=False),  # USER_BANNED_IN_CHANNEL (B4)
    Column("created", Integer, nullable=False),
    Column("owner_id", BigInteger),  # of a bot that somebody made with BotFather
    Column("account_ttl_days", Integer, nullable=False, default=365),
    Column("session_ttl_days", Integer, nullable=False, default=180),
    Column("deletion_at", Integer),  # when a deletion without the password can be finished
    Index("users_owner", "owner_id"),
)

auth_keys = Table(
    "auth_keys",
    metadata,
    Column("key_id", LargeBinary(8), primary_key=True),
    Column("key", LargeBinary(256), nullable=False),
    Column("dc_id", Integer, nullable=False),
    Column("permanent", LargeBinary(8)),  # of a temporary key: the key that it was bound to
    Column("media", Boolean, nullable=False, default=False),  # made for a media-only connection
    Column("origin", LargeBinary(8)),  # of an imported authorization: the key it came from
    Column("user_id", BigInteger),
    Column("pending_user_id", BigInteger),  # logged in but for the password
    Column("logged_in", Integer),
    Column("fault", String(32)),  # what the next call is answered, once
    Column("unconfirmed", Boolean, nullable=False, default=False),
    Column("no_secret_chats", Boolean, nullable=False, default=False),
    Column("no_calls", Boolean, nullable=False, default=False),
    Column("layer", Integer),
    Column("api_id", Integer),
    Column("device_model", Text),
    Column("system_version", Text),
    Column("app_version", Text),
    Column("system_lang_code", Text),
    Column("lang_pack", Text),
    Column("lang_code", Text),
    Column("created", Integer, nullable=False),
    Column("last_active", Integer, nullable=False),
    Column("hash", BigInteger, nullable=False, default=0),
    Column("expires_at", Integer),
    Column("first_salt", BigInteger),
    Index("auth_keys_user", "user_id"),
)

exported_authorizations = Table(
    "exported_authorizations",
    metadata,
    Column("secret", LargeBinary(64), primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("dc_id", Integer, nullable=False),  # where alone it can be imported
    Column("origin", LargeBinary(8), nullable=False),
    Column("created", Integer, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("owner_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, primary_key=True),
    Column("phone", String(32)),
    Column("first_name", Text, nullable=False, default=""),
    Column("last_name", Text, nullable=False, default=""),
    Column("mutual", Boolean, nullable=False, default=False),
)

awaited_contacts = Table(
    "awaited_contacts",
    metadata,
    Column("owner_id", BigInteger, primary_key=True, autoincrement=False),
    Column("phone", String(32), primary_key=True),  # that has no account yet
    Column("first_name", Text, nullable=False, default=""),
    Column("last_name", Text, nullable=False, default=""),
    Index("awaited_contacts_phone", "phone"),
)

blocked = Table(
    "blocked",
    metadata,
    Column("owner_id", BigInteger, primary_key=True),
    Column("peer_type", SmallInteger, primary_key=True),
    Column("peer_id", BigInteger, primary_key=True),
    Column("date", Integer, nullable=False),
)

phone_codes = Table(
    "phone_codes",
    metadata,
    Column("phone", String(32), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("code", String(16), nullable=False),
    Column("created", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # a settings.CodeWay; "checked" or "used"
    Column("calls", SmallInteger, nullable=False, default=0),  # codes.FLASH | codes.MISSED
)

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False, default=0),  # raised with every new password
    # What is in force; without a verifier there is no password.
    Column("salt1", LargeBinary),
    Column("salt2", LargeBinary),
    Column("verifier", LargeBinary),
    Column("hint", Text, nullable=False, default=""),
    Column("email", Text),
    Column("secure", LargeBinary),  # SecureSecretSettings
    Column("changed", Integer, nullable=False, default=0),
    # Settings that wait for the code sent to a new address: account.PasswordInputSettings.
    Column("waiting", LargeBinary),
    Column("waiting_code", String(16)),
    Column("waiting_since", Integer),
    # The code that was sent to the confirmed address of somebody who forgot the password.
    Column("recovery_code", String(16)),
    Column("recovery_since", Integer),
    Column("reset_at", Integer),  # when account.resetPassword will take the password away
    Column("reset_declined", Integer),
)

login_tokens = Table(
    "login_tokens",
    metadata,
    Column("token", LargeBinary(32), primary_key=True),
    Column("key_id", LargeBinary(8), nullable=False),  # shown by
    Column("expires", Integer, nullable=False),
    Column("except_ids", LargeBinary, nullable=False),  # Vector<long>
    Column("user_id", BigInteger),  # accepted by
    Index("login_tokens_key", "key_id"),
)

future_tokens = Table(
    "future_tokens",
    metadata,
    Column("token", LargeBinary(32), primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("created", Integer, nullable=False),
    Index("future_tokens_user", "user_id"),
)

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("token", String(128), primary_key=True),  # of a bot that has another one now
)

messages = Table(
    "messages",
    metadata,
    Column("content_id", _RowId, primary_key=True),
    Column("sender_id", BigInteger, nullable=False),
    Column("date", Integer, nullable=False),
    Column("edit_date", Integer),
    Column("edit_hide", Boolean, nullable=False, default=False),
    Column("silent", Boolean, nullable=False, default=False),
    Column("mentions_all", Boolean, nullable=False, default=False),  # everybody but the sender
    Column("noforwards", Boolean, nullable=False, default=False),
    Column("post", Boolean, nullable=False, default=False),  # written by a broadcast channel
    Column("post_author", Text),  # its signature
    Column("from_chat_id", BigInteger),  # the chat in whose name it was sent; null: the sender's
    Column("topic_id", Integer),  # of a forum; null: General, or no forum
    Column("text", Text, nullable=False, default=""),
    Column("views", Integer),  # of a post; null: only its author has seen it
    Column("forwards", Integer),  # of a post; null: none
    # The columns below hold one TL value each, of the newest layer.
    Column("entities", LargeBinary),  # Vector<MessageEntity>
    Column("reply", LargeBinary),  # MessageReplyHeader without reply_to_msg_id, which is per copy
    Column("fwd_from", LargeBinary),  # MessageFwdHeader
    Column("reply_markup", LargeBinary),  # ReplyMarkup
    Column("action", LargeBinary),  # MessageAction: this is a service message
)

post_views = Table(
    "post_views",
    metadata,
    Column("content_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),  # who has seen the post
    sqlite_with_rowid=False,
)

boxes = Table(
    "boxes",
    metadata,
    Column("box_id", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("content_id", BigInteger, nullable=False),
    Column("peer_type", SmallInteger, nullable=False),
    Column("peer_id", BigInteger, nullable=False),
    Column("out", Boolean, nullable=False),
    Column("pinned", Boolean, nullable=False, default=False),
    Column("reply_to_id", Integer),  # in the ids of this box
    Index("boxes_peer", "box_id", "peer_type", "peer_id", "id"),
    Index("boxes_content", "content_id"),
    sqlite_with_rowid=False,
)

Index(
    "boxes_pinned",
    boxes.c.box_id,
    boxes.c.peer_type,
    boxes.c.peer_id,
    boxes.c.id,
    sqlite_where=boxes.c.pinned,
)

dialogs = Table(
    "dialogs",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("peer_type", SmallInteger, primary_key=True, autoincrement=False),
    Column("peer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("top_message", Integer, nullable=False, default=0),  # 0: no message is left
    Column("read_inbox_max_id", Integer, nullable=False, default=0),
    Column("read_outbox_max_id", Integer, nullable=False, default=0),
    Column("unread_count", Integer, nullable=False, default=0),
    Column("hidden", Boolean, nullable=False, default=False),  # deleted from the list
    Column("can_pin", Boolean, nullable=False, default=True),  # B2.1
    Index("dialogs_top", "user_id", "top_message"),
    Index("dialogs_peer", "peer_type", "peer_id"),
    sqlite_with_rowid=False,
)

random_ids = Table(
    "random_ids",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("random_id", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", Integer, nullable=False),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("box_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pts", Integer, primary_key=True, autoincrement=False),  # the state after the event
    Column("pts_count", Integer, nullable=False),
    Column("date", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),  # updates.EventKind
    Column("message_id", Integer),  # new and edited messages are rendered from their box
    Column("random_id", BigInteger),  # given by the sender of a new message (C0.2.3)
    Column("payload", LargeBinary),  # any other event: one TL Update of the newest layer
    sqlite_with_rowid=False,
)


chats = Table(
    "chats",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("kind", SmallInteger, nullable=False),  # chat_store.GROUP, SUPERGROUP or BROADCAST
    Column("title", Text, nullable=False),
    Column("about", Text, nullable=False, default=""),
    Column("creator_id", BigInteger, nullable=False),
    Column("date", Integer, nullable=False),
    Column("version", Integer, nullable=False, default=1),  # of a basic group's member list
    Column("participants_count", Integer, nullable=False, default=0),
    Column("default_banned", Integer, nullable=False, default=0),  # bits of chatBannedRights
    Column("noforwards", Boolean, nullable=False, default=False),
    Column("deleted", Boolean, nullable=False, default=False),  # or migrated to a supergroup
    Column("migrated_to", BigInteger),
    # The columns below mean something for supergroups and channels only.
    Column("pts", Integer, nullable=False, default=1),
    Column("next_message_id", Integer, nullable=False, default=1),
    Column("username", String(32)),
    Column("username_key", String(32), unique=True),  # the username case-folded
    Column("forum", Boolean, nullable=False, default=False),
    Column("forum_tabs", Boolean, nullable=False, default=False),
    Column("gigagroup", Boolean, nullable=False, default=False),
    Column("signatures", Boolean, nullable=False, default=False),
    Column("signature_profiles", Boolean, nullable=False, default=False),
    Column("slowmode_seconds", Integer, nullable=False, default=0),
    Column("prehistory_hidden", Boolean, nullable=False, default=False),
    Column("participants_hidden", Boolean, nullable=False, default=False),
    Column("join_to_send", Boolean, nullable=False, default=False),
    Column("join_request", Boolean, nullable=False, default=False),
    Column("migrated_from", BigInteger),
)

members = Table(
    "members",
    metadata,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", SmallInteger, nullable=False),  # chat_store.MEMBER, LEFT or KICKED
    Column("is_creator", Boolean, nullable=False, default=False),
    Column("admin_rights", Integer),  # bits of chatAdminRights; null: no admin
    Column("banned_rights", Integer, nullable=False, default=0),  # bits of chatBannedRights
    Column("until_date", Integer, nullable=False, default=0),  # of banned_rights; 0: for ever
    Column("date", Integer, nullable=False),  # when they joined, were promoted or banned
    Column("inviter_id", BigInteger),
    Column("promoted_by", BigInteger),
    Column("kicked_by", BigInteger),
    Column("rank", Text),
    Column("via_request", Boolean, nullable=False, default=False),
    Column("available_min_id", Integer, nullable=False, default=0),  # hidden prehistory
    Column("last_sent", Integer, nullable=False, default=0),  # for slow mode
    Index("members_user", "user_id", "chat_id"),
    Index("members_state", "chat_id", "state"),
    sqlite_with_rowid=False,
)

topics = Table(
    "topics",
    metadata,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1 is General
    Column("title", Text, nullable=False),
    Column("icon_color", Integer, nullable=False),
    Column("icon_emoji_id", BigInteger),
    Column("creator_id", BigInteger, nullable=False),
    Column("date", Integer, nullable=False),
    Column("closed", Boolean, nullable=False, default=False),
    Column("hidden", Boolean, nullable=False, default=False),
    Column("pinned_order", Integer),  # null: not pinned; the highest comes first
)

invites = Table(
    "invites",
    metadata,
    Column("hash", String(32), primary_key=True),
    Column("chat_id", BigInteger, nullable=False),
    Column("admin_id", BigInteger, nullable=False),
    Column("date", Integer, nullable=False),
    Column("expire_date", Integer),
    Column("usage_limit", Integer),
    Column("usage", Integer, nullable=False, default=0),
    Column("request_needed", Boolean, nullable=False, default=False),
    Column("permanent", Boolean, nullable=False, default=False),
    Column("revoked", Boolean, nullable=False, default=False),
    Column("title", Text),
    Index("invites_chat", "chat_id", "admin_id"),
)

invite_uses = Table(
    "invite_uses",
    metadata,
    Column("hash", String(32), primary_key=True),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("date", Integer, nullable=False),
    Column("approved_by", BigInteger),  # the admin who let them in; null: nobody had to
)

join_requests = Table(
    "join_requests",
    metadata,
    Column("chat_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("date", Integer, nullable=False),
    Column("hash", String(32)),
)

admin_log = Table(
    "admin_log",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("chat_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("date", Integer, nullable=False),
    Column("kinds", Integer, nullable=False),  # bits of channelAdminLogEventsFilter
    Column("action", LargeBinary, nullable=False),  # ChannelAdminLogEventAction
    Index("admin_log_chat", "chat_id", "id"),
)

bot_events = Table(
    "bot_events",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("qts", Integer, primary_key=True, autoincrement=False),  # the state after the event
    Column("date", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # Update, of those counted by qts (C0.3.4)
    sqlite_with_rowid=False,
)

business_bots = Table(
    "business_bots",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("connection_id", String(64), nullable=False, unique=True),
    Column("bot_id", BigInteger, nullable=False),
    Column("date", Integer, nullable=False),
    Column("rights", Integer, nullable=False),  # bits of businessBotRights
    Column("recipients", LargeBinary, nullable=False),  # BusinessBotRecipients
    Column("disabled", Boolean, nullable=False, default=False),
)

business_paused = Table(
    "business_paused",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("peer_id", BigInteger, primary_key=True, autoincrement=False),  # the bot keeps out
)
