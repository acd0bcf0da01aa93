"""Random play in one basic group: whatever happens, all that members are told fits together.

Each account follows the group by pushes and results alone: messages by pts (C0.3.2), the member
list by its versions (C5). At every step what it believes must be what the server answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radiogram.server.rpc import RpcFault
from radiogram.tl import api
from tests.server.mirror import Mirror, names
from tests.server.stage import NOON, Listener, Stage

ROSTER = (
    api.UpdateChatDefaultBannedRights,
    api.UpdateChatParticipantAdd,
    api.UpdateChatParticipantAdmin,
    api.UpdateChatParticipantDelete,
    api.UpdateChatParticipants,
)
OTHERS = (api.UpdateBotChatInviteRequester, api.UpdateChat, api.UpdatePendingJoinRequests)

ACTIONS = (
    "add",
    "add",
    "admin",
    "ask",
    "decide",
    "decide_all",
    "default",
    "history",
    "join",
    "protect",
    "remove",
    "remove",
    "return",
    "revoke",
    "send",
    "send",
    "title",
)
EXPECTED = {
    "",
    "CHAT_ADMIN_REQUIRED",
    "CHAT_NOT_MODIFIED",
    "CHAT_WRITE_FORBIDDEN",
    "HIDE_REQUESTER_MISSING",
    "INVITE_HASH_EXPIRED",
    "INVITE_REQUEST_SENT",
    "PEER_ID_INVALID",
    "CHAT_ID_INVALID",
    "BOT_METHOD_INVALID",
    "USERS_TOO_MUCH",
    "USER_ALREADY_PARTICIPANT",
    "USER_ID_INVALID",
    "USER_NOT_MUTUAL_CONTACT",
    "USER_NOT_PARTICIPANT",
}


class Member(Mirror):
    """An account that follows one group."""

    def __init__(self, user_id: int, group: int) -> None:
        super().__init__(user_id)
        self.group = group
        self.roster: dict[int, str] | None = None
        self.version = 0
        self.qts = 0

    def push(self, updates: Any) -> None:
        known = names(updates)
        rest = []
        for update in updates.updates:
            if isinstance(update, ROSTER):
                self.follow(update)
            elif isinstance(update, api.UpdateChatParticipant):
                assert update.qts == self.qts + 1
                self.qts = update.qts
                assert {update.user_id, update.actor_id} <= known
            elif isinstance(update, OTHERS):
                self.qts = getattr(update, "qts", self.qts)
            else:
                rest.append(update)
        super().push(
            api.Updates(updates=rest, users=updates.users, chats=updates.chats, date=NOON, seq=0)
        )

    def apply(self, update: Any, known: set[int]) -> None:
        if not hasattr(update, "qts"):  # pushes are checked before, in order
            super().apply(update, known)

    def follow(self, update: Any) -> None:
        if isinstance(update, api.UpdateChatParticipants):
            self.take(update.participants)
            return
        assert self.roster is not None, "who is not in the group is not told of it"
        assert update.version == self.version + 1
        self.version = update.version
        match update:
            case api.UpdateChatParticipantAdd():
                assert update.user_id not in self.roster
                self.roster[update.user_id] = "ChatParticipant"
            case api.UpdateChatParticipantDelete():
                del self.roster[update.user_id]
            case api.UpdateChatParticipantAdmin():
                name = "ChatParticipantAdmin" if update.is_admin else "ChatParticipant"
                self.roster[update.user_id] = name
            case _:
                pass

    def take(self, participants: Any) -> None:
        if isinstance(participants, api.ChatParticipantsForbidden):
            self.roster = None
            return
        self.version = participants.version
        self.roster = {one.user_id: type(one).__name__ for one in participants.participants}


step = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 4), st.integers(0, 4), st.booleans())


@dataclass
class Play:
    stage: Stage = field(default_factory=lambda: Stage(chat_size_max=4))

    def __post_init__(self) -> None:
        stage = self.stage
        self.people = [stage.ann, stage.bob, stage.eve, stage.bot]
        dan = stage.world.add_user("9996624444", "Dan").id
        self.people.append(dan)
        self.listener = Listener(stage.world, dan, is_bot=False)
        group = self.group = stage.group(stage.ann, stage.bob)
        self.links = [
            stage.call(
                stage.ann,
                api.messages.ExportChatInvite(
                    peer=stage.input_peer(stage.ann, group), request_needed=needed
                ),
            ).link.rpartition("+")[2]
            for needed in (False, True)
        ]
        self.members = {who: Member(who, group) for who in self.people}
        for who, member in self.members.items():
            found = stage.difference(who, 1)
            member.difference(found)
            if who in (stage.ann, stage.bob):
                full = stage.call(who, api.messages.GetFullChat(chat_id=group)).full_chat
                member.take(full.participants)

    def request(self, action: str, me: int, them: int, flag: bool) -> Any:
        stage, group = self.stage, self.group
        peer = api.InputPeerChat(chat_id=group)
        user = stage.input_user(me, them)
        match action:
            case "add" | "history":
                limit = 5 if action == "history" else 0
                return api.messages.AddChatUser(chat_id=group, user_id=user, fwd_limit=limit)
            case "return":
                user = api.InputUserSelf()
                return api.messages.AddChatUser(chat_id=group, user_id=user, fwd_limit=0)
            case "remove" | "revoke":
                return api.messages.DeleteChatUser(
                    chat_id=group, user_id=user, revoke_history=action == "revoke"
                )
            case "admin":
                return api.messages.EditChatAdmin(chat_id=group, user_id=user, is_admin=flag)
            case "title":
                return api.messages.EditChatTitle(chat_id=group, title=f"Group {them} {flag}")
            case "default":
                banned = api.ChatBannedRights(until_date=0, invite_users=flag)
                return api.messages.EditChatDefaultBannedRights(peer=peer, banned_rights=banned)
            case "protect":
                return api.messages.ToggleNoForwards(peer=peer, enabled=flag)
            case "join" | "ask":
                return api.messages.ImportChatInvite(hash=self.links[action == "ask"])
            case "decide":
                return api.messages.HideChatJoinRequest(peer=peer, user_id=user, approved=flag)
            case "decide_all":
                return api.messages.HideAllChatJoinRequests(peer=peer, approved=flag)
            case _:
                return api.messages.SendMessage(
                    peer=peer, message="hello", random_id=stage.random_id()
                )

    def run(self, action: str, who: int, whom: int, flag: bool) -> None:
        stage = self.stage
        me, them = self.people[who], self.people[whom]
        before = {user for user, member in self.members.items() if member.roster is not None}
        request = self.request(action, me, them, flag)
        result: Any = None
        refused = ""
        try:
            result = stage.call(me, request)
        except RpcFault as refusal:
            refused = refusal.message
        assert refused in EXPECTED, (action, refused)
        pushed = list(stage.world.pushed)
        for push in pushed:
            self.members[push.user_id].push(push.updates)
        after = {user for user, member in self.members.items() if member.roster is not None}
        reached = {push.user_id for push in pushed}
        assert reached <= before | after | {me}, (action, reached)
        updates = getattr(result, "updates", None)
        updates = result if isinstance(updates, list) else updates
        if updates is not None:  # it says what the caller's other sessions were pushed
            mine = [push.updates for push in pushed if push.user_id == me]
            said = [one for push in mine for one in getattr(push, "updates", ())]
            assert [one for one in updates.updates if one in said] == said or not said

    def check(self) -> None:
        stage, group = self.stage, self.group
        for who, member in self.members.items():
            if member.roster is None:
                continue
            found = stage.call(who, api.messages.GetFullChat(chat_id=group))
            listed = found.full_chat.participants
            assert listed.version == member.version
            assert {one.user_id: type(one).__name__ for one in listed.participants} == (
                member.roster
            )
            (chat,) = found.chats
            assert chat.participants_count == len(member.roster) <= 4
            assert not chat.left
        for who, member in self.members.items():
            fresh = Member(who, group)
            fresh.difference(stage.difference(who, 1))
            assert (fresh.pts, fresh.messages) == (member.pts, member.messages)
            peer = api.InputPeerChat(chat_id=group)
            if member.user_id == stage.bot or not member.messages:
                continue
            ids = [one.id for one in stage.history(who, group).messages]
            assert ids == sorted(member.messages, reverse=True)
            dialogs = api.messages.GetPeerDialogs(peers=[api.InputDialogPeer(peer=peer)])
            (dialog,) = stage.call(who, dialogs).dialogs
            unread = [one for one in member.messages.values() if not one.out]
            assert (dialog.top_message, dialog.unread_count) == (ids[0], len(unread))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(step, min_size=5, max_size=30))
def test_c5_members_and_messages_fit_together(steps: list[tuple[str, int, int, bool]]) -> None:
    play = Play()
    try:
        play.check()
        for action, who, whom, flag in steps:
            play.run(action, who, whom, flag)
        play.check()
    finally:
        play.stage.close()
