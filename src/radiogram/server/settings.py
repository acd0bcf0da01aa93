"""Server layer: every choice of behaviour that a user could reasonably want otherwise.

Knows names, defaults and what they mean. Knows no state: a :class:`Settings` never changes
once a server has it (make another with :func:`dataclasses.replace`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CodeWay = Literal["app", "sms", "word", "phrase", "call", "flash_call", "missed_call", "fragment"]
"""A way in which a login code reaches somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The knobs of one server. Times are in seconds, sizes in bytes unless said otherwise."""

    # Who may log in, and how (part D)
    login_code: str | None = None
    """A code with which every number can log in. None: a number's own code, five times the DC's
    digit for a ``99966XYYYY`` test number (D1), and 12345 for any other (D9)."""
    login_code_lifetime: int = 600
    """How long a code that was asked for stays usable."""
    login_code_ways: tuple[CodeWay, ...] = ("app", "sms", "call")
    """How a code reaches the owner of a number, in the order in which auth.resendCode goes on:
    as a message to the account's other sessions, if it has one (app), to the phone as digits
    (sms), a word or three words, by a voice (call), as the number of a caller (flash_call) or its
    last digits (missed_call), or on a web page (fragment). The two before the last only where the
    client allows them."""
    login_code_timeout: int = 60
    """Seconds after which a client may offer the next way."""
    login_code_attempts: int = 10
    """Wrong codes that one ``phone_code_hash`` survives; then it is expired."""
    exported_authorization_lifetime: int = 60
    """How long what auth.exportAuthorization gave can be imported, once, in its DC."""
    expires_at_slack: int = 60
    """Seconds by which the end of a temporary key, as a client with a clock of its own reckons
    it, may lie after the server's (A16.4)."""
    logins_per_number: int = 0
    """Codes that a number may ask for in one day; 0 means no limit (D7)."""
    migrate_test_numbers: bool = False
    """Answer PHONE_MIGRATE_X to a test number of another DC (D2) instead of serving it here."""
    test_mode: bool = False
    """Play a test DC: ``config.test_mode``, and DC ids + 10000 in the key exchange (D4, D5)."""
    unknown_numbers: Literal["sign_up", "create", "refuse"] = "sign_up"
    """What becomes of a number without an account: it can sign up, an account named after it is
    made with the first right code, or it gets PHONE_NUMBER_APP_SIGNUP_FORBIDDEN (D9)."""
    banned_numbers: frozenset[str] = frozenset()
    """Numbers, in digits, that are answered PHONE_NUMBER_BANNED."""
    terms: str = ""
    """Terms that somebody who signs up is shown; empty: none."""
    confirm_logins: bool = False
    """Call a new login unconfirmed until account.changeAuthorizationSettings confirms it."""
    future_auth_tokens: Literal["never", "two_step", "always"] = "two_step"
    """Who gets a token at auth.logOut with which to come back without a code: accounts that have
    a password, all, or none."""
    fresh_reset_wait: int = 0
    """Seconds for which a new session may not end others: FRESH_RESET_AUTHORISATION_FORBIDDEN.
    Telegram's own are 86400."""
    login_token_lifetime: int = 30
    """How long the token in a QR code can be accepted."""
    password_check_lifetime: int = 600
    """How long a check that account.getPassword has begun can be answered; once, at that."""
    password_attempts: int = 0
    """Wrong passwords that an account may be tried with in a day; then FLOOD_WAIT_X, and
    PHONE_PASSWORD_FLOOD for new codes. 0 means no limit (D7)."""
    password_reset_wait: int = 604800
    """How long account.resetPassword waits, and after a decline before it can be asked again."""
    email_code: str | None = None
    """What stands in each e-mail with a code. None: six digits by chance."""
    email_code_lifetime: int = 3600
    """How long a code sent by e-mail stays usable."""
    deletion_wait: int = 604800
    """How long account.deleteAccount waits where there is a password and it was not given."""
    ownership_wait: int = 0
    """Seconds for which neither a new password nor a new session can give a group or channel
    away: PASSWORD_TOO_FRESH_X, SESSION_TOO_FRESH_X. Telegram's own are 604800 and 86400."""
    bots_per_owner: int = 20
    """Bots that one account can make with BotFather."""
    media_options: bool = False
    """Name each DC once more in help.getConfig, as the address of its media-only side."""
    api_ids: frozenset[int] = frozenset()
    """The api_ids that are known; empty means that any positive one is."""
    country: str = "DE"
    """Two letters that ``help.getNearestDc`` answers."""

    # Protocol (part A)
    max_packet: int = 16 * 1024 * 1024
    """Largest packet that is read (A1.5)."""
    require_init: bool = True
    """Refuse calls before the first initConnection of a key with CONNECTION_NOT_INITED (A12.3)."""
    unimplemented_code: int = 404
    """Code of the error that names a method of the schema which this server lacks (A11.5)."""
    session_idle_timeout: int = 3600
    """How long a session without a connection is remembered."""
    sessions_per_key: int = 32
    """Sessions of one auth key; the one that was idle longest makes room for another."""
    connections_per_address: int = 1000
    """Open connections from one address; further ones are answered with -429 (A2.3)."""
    wait_after_msg: float = 0.5
    """How long an invokeAfterMsg waits for its predecessors (A12.5)."""
    online_period: int = 300
    """How long account.updateStatus(offline=False) shows a user as online."""

    # Messages and updates (parts B and C)
    message_length_max: int = 4096
    """Code points of a text (C0.2.4)."""
    caption_length_max: int = 1024
    """Code points of a caption (C0.2.4)."""
    edit_time_limit: int = 172800
    """How long a sent message can be edited."""
    forwarded_count_max: int = 100
    """Messages in one messages.forwardMessages."""
    chat_size_max: int = 200
    """Members of a basic group."""
    megagroup_size_max: int = 200000
    """Members of a supergroup."""
    channels_max: int = 500
    """Supergroups and channels that one account can be in."""
    channels_public_max: int = 10
    """Public supergroups and channels that one account can own."""
    channel_delete_max: int = 1000
    """Members of a channel beyond which its creator cannot delete it: CHANNEL_TOO_LARGE."""
    admins_max: int = 50
    """Admins of a supergroup or channel."""
    bots_max: int = 20
    """Bots in a supergroup."""
    hidden_members_min: int = 100
    """Members from which on a supergroup can hide them: PARTICIPANTS_TOO_FEW."""
    topics_pinned_max: int = 5
    """Pinned topics of a forum."""
    about_length_max: int = 70
    """Code points of a user's bio."""
    pinned_dialogs_max: int = 5
    """Pinned dialogs of one folder."""
    random_id_duplicate_code: int = 500
    """Code of RANDOM_ID_DUPLICATE (C0.2.2)."""
    difference_slice: int = 500
    """Events in one answer to updates.getDifference (C6.4)."""
    channel_difference_window: int = 100_000
    """Events by which a client may lag behind a channel and still be told them; beyond, it gets
    channelDifferenceTooLong (C6.6)."""
    channel_poll_timeout: int = 30
    """Seconds after which an open channel is polled again (C6.7)."""
    affected_batch: int = 0
    """Messages that one deleteHistory or unpinAllMessages changes; 0: all of them (B9.3)."""
    short_updates: Literal["never", "sent", "always"] = "sent"
    """Where short forms replace ``updates`` if they say everything (C0.3.7): nowhere; in the
    result of sendMessage; also in pushes to those who have the dialog already. A client that
    does not know the sender cannot use the latter without asking for the difference."""
    bots_write_first: bool = True
    """Let bots write to users who never wrote to them; otherwise PEER_ID_INVALID."""
    pin_noop: Literal["split", "error", "empty"] = "split"
    """A pin that changes nothing: CHAT_NOT_MODIFIED in groups and channels and nothing in private
    chats (split), the error or nothing everywhere (B5.6)."""
    supergroup_pins: Literal["admins", "members"] = "admins"
    """Who may pin in a supergroup after it was made (B2.4)."""
    pin_mentions_members: bool = False
    """Let the message about a pin without ``silent`` mention everybody in a group or supergroup:
    it is ``mentioned`` for all but whoever pins (B5.8). No unread mentions are counted."""
    pin_restricted_for_groups: bool = False
    """Answer PIN_RESTRICTED in groups and channels too, where CHAT_ADMIN_REQUIRED is usual (B4)."""
    pin_blocked_bot: bool = False
    """Answer USER_IS_BLOCKED to a bot that pins where the user blocked it, instead of pinning on
    its own side only (B6.6)."""
