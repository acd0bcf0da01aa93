"""A page of history as a chat with some life in it has: what the decoding benchmarks read.

One hundred messages with replies, entities, photos, reactions and the users and chats they
mention; about 730 objects and 25 KB. The same on every run.
"""

from __future__ import annotations

from radiogram.tl import api
from radiogram.tl.base import TLObject

SENTENCE = (
    "the meeting moved to thursday because nobody could find the key of the room and the train "
    "was late again please bring the papers we spoke about and something to eat"
)
WORDS = SENTENCE.split()


def build_page(messages: int = 100) -> api.messages.MessagesSlice:
    """Build a page of so many messages."""
    return api.messages.MessagesSlice(
        count=4217,
        messages=[_message(index) for index in range(messages)],
        topics=[],
        chats=[_chat(index) for index in range(4)],
        users=[_user(index) for index in range(22)],
    )


def count_objects(value: object) -> int:
    """Count the TL objects in a value, itself included."""
    if isinstance(value, TLObject):
        fields = type(value).__struct_fields__
        return 1 + sum(count_objects(getattr(value, name)) for name in fields)
    if isinstance(value, list):
        return sum(map(count_objects, value))
    return 0


def _text(index: int) -> str:
    length = 9 + index * 7 % 24
    words = [WORDS[(index * 5 + step) % len(WORDS)] for step in range(length)]
    return " ".join(words) + (" \N{GRINNING FACE}" if index % 6 == 0 else "")


def _message(index: int) -> api.Message:
    number = 9000 - index
    return api.Message(
        id=number,
        from_id=api.PeerUser(user_id=700_000_000 + index % 22),
        peer_id=api.PeerChannel(channel_id=1_500_000_001),
        date=1_750_000_000 - index * 61,
        message=_text(index),
        out=index % 5 == 0,
        media=_photo(index) if index % 9 == 4 else None,
        entities=_entities(index) if index % 3 == 0 else None,
        reply_to=(api.MessageReplyHeader(reply_to_msg_id=number - 3) if index % 4 == 1 else None),
        views=index * 3 if index % 10 == 0 else None,
        forwards=index if index % 10 == 0 else None,
        edit_date=1_750_000_500 if index % 8 == 0 else None,
        reactions=_reactions(index) if index % 4 == 0 else None,
    )


def _entities(index: int) -> list[api.TypeMessageEntity]:
    return [
        api.MessageEntityBold(offset=0, length=5),
        api.MessageEntityTextUrl(offset=6, length=7, url=f"https://example.org/{index}"),
        api.MessageEntityMention(offset=14, length=4),
    ]


def _reactions(index: int) -> api.MessageReactions:
    return api.MessageReactions(
        can_see_list=True,
        results=[
            api.ReactionCount(reaction=api.ReactionEmoji(emoticon=emoji), count=index + 1)
            for emoji in ("\N{THUMBS UP SIGN}", "\N{FIRE}", "\N{HEAVY BLACK HEART}")
        ],
    )


def _photo(index: int) -> api.MessageMediaPhoto:
    sizes: list[api.TypePhotoSize] = [
        api.PhotoStrippedSize(type="i", bytes=bytes(range(60))),
        api.PhotoSize(type="m", w=320, h=240, size=14_000 + index),
        api.PhotoSizeProgressive(type="y", w=1280, h=960, sizes=[9_000, 30_000, 90_000]),
    ]
    photo = api.Photo(
        id=5_000_000_000_000_000_000 + index,
        access_hash=-1_234_567_890_123 * (index + 1),
        file_reference=bytes(range(25)),
        date=1_750_000_000,
        sizes=sizes,
        dc_id=2,
    )
    return api.MessageMediaPhoto(photo=photo)


def _user(index: int) -> api.User:
    return api.User(
        id=700_000_000 + index,
        access_hash=4_000_000_000_000_000_000 + index,
        first_name=WORDS[index].capitalize(),
        last_name=WORDS[-index - 1].capitalize() if index % 2 else None,
        username=f"user_{index}" if index % 3 else None,
        photo=api.UserProfilePhoto(
            photo_id=6_000_000_000_000_000_000 + index, stripped_thumb=bytes(range(30)), dc_id=2
        ),
        status=api.UserStatusOffline(was_online=1_750_000_000 - index * 1000),
    )


def _chat(index: int) -> api.Channel:
    return api.Channel(
        id=1_500_000_001 + index,
        access_hash=-4_000_000_000_000_000_000 + index,
        title=f"Reading circle {index}",
        photo=api.ChatPhoto(photo_id=6_100_000_000_000_000_000 + index, dc_id=2),
        date=1_700_000_000,
        megagroup=True,
        default_banned_rights=api.ChatBannedRights(until_date=2**31 - 1, send_polls=True),
        participants_count=22,
    )
