"""What pinning does, one row a case: who does what where, what comes back, who is told what.

Data only; :mod:`play` plays it. A row reads: in a chat of this kind, after these steps, this call
gives this result, and these people are told this (whoever is not named is told nothing), and
afterwards each of these sees this as the last pinned message.

Kinds of chat: `saved` is ann's Saved Messages; `private` is ann and bob; `bot` is ann and a bot;
`group`, `supergroup`, `channel` and `forum` are owned by ann, with bob, cat and a bot in them; eve
is in none. Single letters name messages by their text. Steps are separated by semicolons.

What is told: ``pinned m``, ``unpinned m``, ``says m`` (the service message about m, or ``says -``
if it points to nothing that the reader has), with ``silently`` or ``mentioning`` if it is so. An error
is ``! NAME``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One row."""

    rule: str
    chat: str
    steps: str
    call: str
    result: str
    told: str = ""
    shows: str = ""
    settings: str = ""
    """Settings of the server, ``name=value``; without any the defaults hold."""
    central: bool = False
    """One of those that other people's clients play too."""

    def __str__(self) -> str:
        return f"{self.rule} {self.chat}: {self.steps or 'nothing'} > {self.call}"


_ALL = "pinned m, says m"
_QUIET = "pinned m, says m silently"
_MEMBERS = "bob: {0}; cat: {0}; bot: {0}"


def _members(what: str) -> str:
    return _MEMBERS.format(what)


# fmt: off
CASES = [
    # ── Saved Messages ───────────────────────────────────────────────────────────────────────────
    Case("B6.1", "saved", "ann sends m", "ann pins m", "pinned m", shows="ann: m", central=True),
    Case("B6.1", "saved", "ann sends m", "ann pins m oneside", "pinned m", shows="ann: m"),
    Case("B6.1", "saved", "ann sends m", "ann pins m silent", "pinned m", shows="ann: m"),
    Case("B6.1", "saved", "ann sends m; ann pins m", "ann unpins m", "unpinned m", shows="ann: -"),
    Case("B5.6", "saved", "ann sends m; ann pins m", "ann pins m", "nothing", shows="ann: m"),
    Case("B5.6", "saved", "ann sends m", "ann unpins m", "nothing", shows="ann: -"),
    Case("B5.1", "saved", "ann sends m; ann sends n; ann pins n", "ann pins m", "pinned m",
         shows="ann: n"),
    Case("B9.2", "saved", "ann sends m; ann sends n; ann pins m; ann pins n", "ann unpins all",
         "unpinned m n", shows="ann: -"),
    Case("B4", "saved", "", "ann pins #0", "! MESSAGE_ID_INVALID"),
    # ── private chats ────────────────────────────────────────────────────────────────────────────
    Case("B6.2", "private", "ann sends m", "ann pins m", _QUIET, f"bob: {_QUIET}",
         "ann: m; bob: m", central=True),
    Case("B6.2", "private", "bob sends m", "ann pins m", _QUIET, f"bob: {_QUIET}",
         "ann: m; bob: m", central=True),
    Case("B5.5", "private", "ann sends m", "ann pins m silent", _QUIET, f"bob: {_QUIET}",
         central=True),
    Case("B6.3", "private", "ann sends m", "ann pins m oneside", "pinned m", "",
         "ann: m; bob: -", central=True),
    Case("B6.3", "private", "bob sends m", "ann pins m silent oneside", "pinned m", "",
         "ann: m; bob: -"),
    Case("B6.4", "private", "ann sends m; ann pins m", "ann unpins m", "unpinned m",
         "bob: unpinned m", "ann: -; bob: -", central=True),
    Case("B6.4", "private", "ann sends m; ann pins m", "bob unpins m", "unpinned m",
         "ann: unpinned m", "ann: -; bob: -"),
    Case("B6.4", "private", "ann sends m; ann pins m oneside", "bob unpins m", "unpinned nothing",
         "ann: unpinned m", "ann: -; bob: -"),
    Case("B6.5", "private", "ann sends m; ann pins m", "ann unpins m oneside", "unpinned m", "",
         "ann: -; bob: m", central=True),
    Case("B5.6", "private", "ann sends m; ann pins m", "ann pins m", "nothing", "",
         "ann: m; bob: m", central=True),
    Case("B5.6", "private", "ann sends m", "ann unpins m", "nothing"),
    Case("B5.6", "private", "ann sends m; ann pins m", "ann pins m", "! CHAT_NOT_MODIFIED",
         settings="pin_noop=error"),
    Case("B5.7", "private", "ann sends m; ann pins m oneside", "ann pins m", "says m silently",
         f"bob: {_QUIET}", "ann: m; bob: m", central=True),
    Case("B6.2", "private", "ann sends m; bob deletes m", "ann pins m", _QUIET,
         "bob: says - silently", "ann: m; bob: -"),
    Case("B6.6", "private", "ann sends m; bob blocks ann", "ann pins m", _QUIET, "",
         "ann: m; bob: -"),
    Case("B6.6", "private", "ann sends m; ann blocks bob", "ann pins m", _QUIET,
         f"bob: {_QUIET}", "ann: m; bob: m"),
    Case("B8.1", "private", "ann sends m; ann sends n; ann pins n", "ann pins m", _QUIET,
         f"bob: {_QUIET}", "ann: n; bob: n", central=True),
    Case("B10.1", "private", "ann sends m; ann sends n; ann pins m; ann pins n; ann revokes n",
         "ann unpins n", "! MESSAGE_ID_INVALID", "", "ann: m; bob: m"),
    Case("B10.2", "private", "ann sends m; ann pins m; bob deletes m", "ann unpins m",
         "unpinned m", "", "ann: -; bob: -"),
    Case("B10.3", "private", "ann sends m; ann pins m; ann edits m", "ann pins m", "nothing", "",
         "ann: m; bob: m"),
    Case("B9.2", "private", "ann sends m; bob sends n; ann pins m; bob pins n", "ann unpins all",
         "unpinned m n", "bob: unpinned m n", "ann: -; bob: -", central=True),
    Case("B9.5", "private", "ann sends m", "ann unpins all", "nothing"),
    Case("B9.3", "private", "ann sends m; ann sends n; ann pins m; ann pins n", "ann unpins all",
         "unpinned n and 1 more", "bob: unpinned n", "ann: m; bob: m", settings="affected_batch=1"),
    Case("B4", "private", "", "ann pins #0", "! MESSAGE_ID_INVALID"),
    Case("B4", "private", "", "ann pins #-7", "! MESSAGE_ID_INVALID"),
    Case("B4", "private", "", "ann pins #2000000000", "! MESSAGE_ID_INVALID", central=True),
    Case("B4", "private", "ann sends m; ann pins m", "ann pins the service message",
         "! MESSAGE_ID_INVALID", "", "ann: m", central=True),
    Case("B4", "private", "ann sends m; ann revokes m", "ann pins m", "! MESSAGE_ID_INVALID"),
    Case("B4", "private", "ann notes m", "ann pins m", "! MESSAGE_ID_INVALID"),
    Case("B4", "private", "ann sends m", "ann pins m nowhere", "! PEER_ID_INVALID", central=True),
    Case("B4", "private", "ann sends m", "ann pins m with a wrong hash", "! PEER_ID_INVALID",
         central=True),
    Case("B4", "private", "ann sends m; dan is deleted", "ann pins m with dan",
         "! INPUT_USER_DEACTIVATED"),
    Case("B2.1", "private", "ann sends m; ann may not pin", "ann pins m", "! PIN_RESTRICTED"),
    Case("B2.1", "private", "ann sends m; ann may not pin", "bob pins m", _QUIET,
         f"ann: {_QUIET}", "bob: m"),
    # ── with bots ────────────────────────────────────────────────────────────────────────────────
    Case("B2", "bot", "ann sends m", "bot pins m", _QUIET, f"ann: {_QUIET}", "ann: m",
         central=True),
    Case("B2", "bot", "ann sends m", "ann pins m", _QUIET, f"bot: {_QUIET}", "ann: m"),
    Case("B4", "bot", "ann sends m", "bot pins m oneside", "! BOT_ONESIDE_NOT_AVAIL", central=True),
    Case("B4", "bot", "ann sends m; ann pins m", "bot unpins m oneside", "! BOT_ONESIDE_NOT_AVAIL"),
    Case("B2", "bot", "ann sends m", "bot pins m with itself", "! PEER_ID_INVALID"),
    Case("B6.6", "bot", "bot sends m; ann blocks bot", "bot pins m", _QUIET, "", "ann: -"),
    Case("B4", "bot", "bot sends m; ann blocks bot", "bot pins m", "! USER_IS_BLOCKED",
         settings="pin_blocked_bot=True"),
    Case("B9.1", "bot", "ann sends m; ann pins m", "bot unpins all", "unpinned m",
         "ann: unpinned m", "ann: -"),
    # ── basic groups ─────────────────────────────────────────────────────────────────────────────
    Case("B6.7", "group", "ann sends m", "ann pins m", _ALL, _members(_ALL), "ann: m; bob: m",
         central=True),
    Case("B6.7", "group", "bob sends m", "cat pins m", _ALL,
         f"ann: {_ALL}; bob: {_ALL}; bot: {_ALL}", "ann: m; bob: m; cat: m", central=True),
    Case("B5.5", "group", "ann sends m", "ann pins m silent", _QUIET, _members(_QUIET)),
    Case("B4", "group", "ann sends m", "ann pins m oneside", _ALL, _members(_ALL)),
    Case("B6.8", "group", "ann sends m; ann pins m", "bob unpins m", "unpinned m",
         "ann: unpinned m; cat: unpinned m; bot: unpinned m", "ann: -; cat: -", central=True),
    Case("B5.6", "group", "ann sends m; ann pins m", "bob pins m", "! CHAT_NOT_MODIFIED",
         central=True),
    Case("B5.6", "group", "ann sends m", "ann unpins m", "! CHAT_NOT_MODIFIED"),
    Case("B5.6", "group", "ann sends m; ann pins m", "ann pins m", "nothing",
         settings="pin_noop=empty"),
    Case("B6.7", "group", "ann kicks cat; ann sends m; ann invites cat", "bob pins m", _ALL,
         f"ann: {_ALL}; bot: {_ALL}; cat: says -", "ann: m; cat: -"),
    Case("B6.7", "group", "ann sends m; cat deletes m", "ann pins m", _ALL,
         f"bob: {_ALL}; bot: {_ALL}; cat: says -", "cat: -"),
    Case("B6.9", "group", "ann sends m; cat leaves", "ann pins m", _ALL,
         f"bob: {_ALL}; bot: {_ALL}"),
    Case("B6.9", "group", "ann sends m; ann kicks cat", "ann pins m", _ALL,
         f"bob: {_ALL}; bot: {_ALL}"),
    Case("B2", "group", "ann sends m; members may not pin", "bob pins m",
         "! CHAT_ADMIN_REQUIRED", central=True),
    Case("B2", "group", "ann sends m; members may not pin", "ann pins m", _ALL, _members(_ALL)),
    Case("B2", "group", "ann sends m; members may not pin; ann promotes bob", "bob pins m", _ALL,
         f"ann: {_ALL}; cat: {_ALL}; bot: {_ALL}"),
    Case("B2", "group", "ann sends m", "bot pins m", "! CHAT_ADMIN_REQUIRED"),
    Case("B2", "group", "ann sends m; ann promotes bot", "bot pins m", _ALL,
         f"ann: {_ALL}; bob: {_ALL}; cat: {_ALL}"),
    Case("B4", "group", "ann sends m; ann promotes bot", "bot pins m oneside", _ALL,
         f"ann: {_ALL}; bob: {_ALL}; cat: {_ALL}"),
    Case("B4", "group", "ann sends m; bob leaves", "bob pins m", "! CHAT_WRITE_FORBIDDEN",
         central=True),
    Case("B4", "group", "ann sends m; ann kicks bob", "bob pins m", "! CHAT_WRITE_FORBIDDEN"),
    Case("B4", "group", "ann sends m", "eve pins #1", "! PEER_ID_INVALID", central=True),
    Case("B4", "group", "", "ann pins #1 in a chat that is not", "! PEER_ID_INVALID"),
    Case("B4", "group", "ann sends m; ann migrates", "ann pins m", "! CHAT_INVALID"),
    Case("B4", "group", "ann sends m; ann pins m", "bob pins the service message",
         "! MESSAGE_ID_INVALID"),
    Case("B4", "group", "", "ann pins #2000000000", "! MESSAGE_ID_INVALID"),
    Case("B4", "group", "ann sends m; members may not pin", "bob pins m", "! PIN_RESTRICTED",
         settings="pin_restricted_for_groups=True"),
    Case("B4", "group", "ann sends m; members may not pin; members may not write", "bob pins m",
         "! CHAT_WRITE_FORBIDDEN"),
    Case("B2.2", "group", "ann sends m; members may not write", "bob pins m", _ALL,
         f"ann: {_ALL}; cat: {_ALL}; bot: {_ALL}"),
    Case("B8.7", "group", "ann sends m; bob sends n; cat deletes n; ann pins m; ann pins n",
         "ann unpins m", "unpinned m", _members("unpinned m"), "ann: n; cat: -"),
    Case("B9.2", "group", "ann sends m; bob sends n; ann pins m; bob pins n", "cat unpins all",
         "unpinned m n", "ann: unpinned m n; bob: unpinned m n; bot: unpinned m n",
         "ann: -; cat: -", central=True),
    Case("B9.5", "group", "ann sends m", "ann unpins all", "nothing"),
    Case("B9.1", "group", "ann sends m; members may not pin; ann pins m", "bob unpins all",
         "! CHAT_ADMIN_REQUIRED"),
    Case("B10.1", "group", "ann sends m; ann sends n; ann pins m; ann pins n; ann revokes n",
         "bob unpins m", "unpinned m", "ann: unpinned m; cat: unpinned m; bot: unpinned m"),
    # ── supergroups ──────────────────────────────────────────────────────────────────────────────
    Case("B6.10", "supergroup", "ann sends m", "ann pins m", _ALL, _members(_ALL),
         "ann: m; bob: m", central=True),
    Case("B5.5", "supergroup", "bob sends m", "ann pins m silent", _QUIET, _members(_QUIET),
         central=True),
    Case("B4", "supergroup", "ann sends m", "ann pins m oneside", _ALL, _members(_ALL)),
    Case("B6.11", "supergroup", "ann sends m; ann pins m", "ann unpins m", "unpinned m",
         _members("unpinned m"), "ann: -; bob: -", central=True),
    Case("B5.6", "supergroup", "ann sends m; ann pins m", "ann pins m", "! CHAT_NOT_MODIFIED",
         central=True),
    Case("B5.6", "supergroup", "ann sends m", "ann unpins m", "! CHAT_NOT_MODIFIED"),
    Case("B2.4", "supergroup", "ann sends m", "bob pins m", "! CHAT_ADMIN_REQUIRED", central=True),
    Case("B2.4", "supergroup", "ann sends m", "bob pins m", _ALL,
         f"ann: {_ALL}; cat: {_ALL}; bot: {_ALL}", settings="supergroup_pins=members"),
    Case("B2", "supergroup", "ann sends m; members may pin", "bob pins m", _ALL,
         f"ann: {_ALL}; cat: {_ALL}; bot: {_ALL}", central=True),
    Case("B2", "supergroup", "ann sends m; members may pin; ann bans bob from pin_messages",
         "bob pins m", "! CHAT_ADMIN_REQUIRED"),
    Case("B2", "supergroup", "ann sends m; ann promotes bob with pin_messages", "bob pins m", _ALL,
         f"ann: {_ALL}; cat: {_ALL}; bot: {_ALL}", central=True),
    Case("B2", "supergroup", "ann sends m; ann promotes bob with delete_messages", "bob pins m",
         "! CHAT_ADMIN_REQUIRED"),
    Case("C0.1.5", "supergroup",
         "ann sends m; members may pin; ann promotes bob with delete_messages", "bob pins m", _ALL,
         f"ann: {_ALL}; cat: {_ALL}; bot: {_ALL}"),
    Case("B2", "supergroup", "ann sends m; members may pin", "bot pins m",
         "! CHAT_ADMIN_REQUIRED"),
    Case("B2", "supergroup",
         "ann sends m; members may pin; ann promotes bot with delete_messages", "bot pins m",
         "! CHAT_ADMIN_REQUIRED"),
    Case("B2", "supergroup", "ann sends m; ann promotes bot with pin_messages", "bot pins m", _ALL,
         f"ann: {_ALL}; bob: {_ALL}; cat: {_ALL}", central=True),
    Case("B6.15", "supergroup", "ann sends m; ann promotes bob with pin_messages anonymous",
         "bob pins m", "pinned m, says m as the chat",
         "ann: {0}; cat: {0}; bot: {0}".format("pinned m, says m as the chat")),
    Case("B2.2", "supergroup",
         "ann sends m; ann promotes bob with pin_messages; members may not write", "bob pins m",
         _ALL, f"ann: {_ALL}; cat: {_ALL}; bot: {_ALL}"),
    Case("B4", "supergroup", "ann sends m; ann bans bob from send_messages", "bob pins m",
         "! CHAT_WRITE_FORBIDDEN"),
    Case("B4", "supergroup", "ann sends m; bob leaves", "bob pins m", "! CHANNEL_PRIVATE",
         central=True),
    Case("B4", "supergroup", "ann sends m; ann kicks bob", "bob pins m", "! CHANNEL_PRIVATE",
         central=True),
    Case("B4", "supergroup", "ann sends m; ann makes it public; bob leaves", "bob pins m",
         "! CHAT_WRITE_FORBIDDEN"),
    Case("B4", "supergroup", "ann sends m; ann makes it public; ann kicks bob", "bob pins m",
         "! CHANNEL_PRIVATE"),
    Case("B4", "supergroup", "ann sends m", "eve pins m", "! CHANNEL_PRIVATE"),
    Case("B4", "supergroup", "ann sends m; ann makes it public", "eve pins m",
         "! CHAT_WRITE_FORBIDDEN"),
    Case("B4", "supergroup", "ann sends m", "ann pins m with a wrong hash", "! CHANNEL_INVALID",
         central=True),
    Case("B4", "supergroup", "ann sends m; ann deletes it", "ann pins m", "! CHANNEL_PRIVATE"),
    Case("B4", "supergroup", "ann sends m; members may pin; bob is limited", "bob pins m",
         "! USER_BANNED_IN_CHANNEL"),
    Case("B4", "supergroup", "ann sends m; ann pins m", "ann pins the service message",
         "! MESSAGE_ID_INVALID"),
    Case("B4", "supergroup", "", "ann pins #2000000000", "! MESSAGE_ID_INVALID"),
    Case("B4", "supergroup",
         "ann hides history; ann kicks cat; ann sends m; ann unbans cat; ann invites cat; "
         "members may pin",
         "cat pins m", "! MESSAGE_ID_INVALID"),
    Case("B8.1", "supergroup", "ann sends m; ann sends n; ann pins n", "ann pins m", _ALL,
         _members(_ALL), "ann: n; bob: n"),
    Case("B10.1", "supergroup", "ann sends m; ann sends n; ann pins m; ann pins n; ann revokes n",
         "ann pins m", "! CHAT_NOT_MODIFIED", "", "ann: m; bob: m"),
    Case("B10.3", "supergroup", "ann sends m; ann pins m; ann edits m", "ann unpins m",
         "unpinned m", _members("unpinned m")),
    Case("B9.2", "supergroup", "ann sends m; bob sends n; ann pins m; ann pins n",
         "ann unpins all", "unpinned m n", _members("unpinned m n"), "ann: -; bob: -",
         central=True),
    Case("B9.1", "supergroup", "ann sends m; ann pins m", "bob unpins all",
         "! CHAT_ADMIN_REQUIRED", "", "bob: m"),
    Case("B9.5", "supergroup", "ann sends m", "ann unpins all", "nothing"),
    Case("B9.5", "supergroup", "ann sends m", "ann unpins all", "! CHAT_NOT_MODIFIED",
         settings="pin_noop=error"),
    Case("B5.8", "supergroup", "bob sends m", "ann pins m", _ALL,
         _members("pinned m, says m mentioning"), settings="pin_mentions_members=True"),
    Case("B5.8", "supergroup", "bob sends m", "ann pins m silent", _QUIET, _members(_QUIET),
         settings="pin_mentions_members=True"),
    Case("B5.8", "group", "ann sends m", "bob pins m", _ALL,
         "ann: {0}; cat: {0}; bot: {0}".format("pinned m, says m mentioning"),
         settings="pin_mentions_members=True"),
    # ── broadcast channels ───────────────────────────────────────────────────────────────────────
    Case("B6.12", "channel", "ann sends m", "ann pins m", "pinned m, says m silently as a post",
         _members("pinned m, says m silently as a post"), "ann: m; bob: m", central=True),
    Case("B6.13", "channel", "ann sends m; ann pins m", "ann unpins m", "unpinned m",
         _members("unpinned m"), "ann: -; bob: -", central=True),
    Case("B2", "channel", "ann sends m", "bob pins m", "! CHAT_ADMIN_REQUIRED"),
    Case("B2", "channel", "ann sends m; ann promotes bob with edit_messages", "bob pins m",
         "pinned m, says m silently as a post",
         "ann: {0}; cat: {0}; bot: {0}".format("pinned m, says m silently as a post")),
    Case("B2", "channel", "ann sends m; ann promotes bob with post_messages", "bob pins m",
         "! CHAT_ADMIN_REQUIRED"),
    Case("B2", "channel", "ann sends m; ann promotes bot with edit_messages", "bot pins m",
         "pinned m, says m silently as a post",
         "ann: {0}; bob: {0}; cat: {0}".format("pinned m, says m silently as a post")),
    Case("B5.6", "channel", "ann sends m; ann pins m", "ann pins m", "! CHAT_NOT_MODIFIED"),
    Case("B4", "channel", "ann sends m; bob leaves", "bob pins m", "! CHANNEL_PRIVATE"),
    Case("B9.2", "channel", "ann sends m; ann sends n; ann pins m; ann pins n", "ann unpins all",
         "unpinned m n", _members("unpinned m n"), "ann: -; bob: -"),
    # ── forums ───────────────────────────────────────────────────────────────────────────────────
    Case("B6.14", "forum", "ann opens t; ann sends m in t", "ann pins m", "pinned m, says m in t",
         _members("pinned m, says m in t"), "ann: m; bob: m"),
    Case("B6.14", "forum", "ann sends m", "ann pins m", _ALL, _members(_ALL)),
    Case("B2", "forum", "ann opens t; ann sends m in t", "bob pins m", "! CHAT_ADMIN_REQUIRED"),
    Case("B9.2", "forum",
         "ann opens t; ann sends m in t; ann sends n; ann pins m; ann pins n",
         "ann unpins all in t", "unpinned m", _members("unpinned m"), "ann: n; bob: n"),
    Case("B9.2", "forum",
         "ann opens t; ann sends m in t; ann sends n; ann pins m; ann pins n", "ann unpins all",
         "unpinned m n", _members("unpinned m n"), "ann: -; bob: -"),
]
# fmt: on
