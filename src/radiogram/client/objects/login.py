"""Layer 4, client: what a login is made of: the code that was sent, sessions, the password's state.

Knows raw objects of auth.* and account.*, and which friendly method goes on from there. Must not
know requests.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from radiogram.client.objects.base import Friendly, moment
from radiogram.tl import api

if TYPE_CHECKING:
    from radiogram.client.client import TelegramClient
    from radiogram.client.objects.user import User

_WAYS = {
    "auth.sentCodeTypeApp": ("app", "in the Telegram app on another device"),
    "auth.sentCodeTypeSms": ("sms", "by SMS"),
    "auth.sentCodeTypeSmsWord": ("sms_word", "by SMS: a word"),
    "auth.sentCodeTypeSmsPhrase": ("sms_phrase", "by SMS: a phrase"),
    "auth.sentCodeTypeCall": ("call", "by a phone call"),
    "auth.sentCodeTypeFlashCall": ("flash_call", "by a call that ends at once: its number"),
    "auth.sentCodeTypeMissedCall": ("missed_call", "by a missed call: last digits of its number"),
    "auth.sentCodeTypeEmailCode": ("email", "by e-mail"),
    "auth.sentCodeTypeFragmentSms": ("fragment", "on fragment.com"),
    "auth.sentCodeTypeFirebaseSms": ("firebase", "by SMS to official apps"),
    "auth.sentCodeTypeSetUpEmailRequired": ("set_up_email", "after an e-mail address was set up"),
    "auth.codeTypeSms": ("sms", ""),
    "auth.codeTypeCall": ("call", ""),
    "auth.codeTypeFlashCall": ("flash_call", ""),
    "auth.codeTypeMissedCall": ("missed_call", ""),
    "auth.codeTypeFragmentSms": ("fragment", ""),
}


class LoginCode(Friendly[api.auth.SentCode]):
    """A login code that was sent to a phone number, and what to do with it.

    ``await sent.sign_in("12345")``; ``await sent.resend()`` has it sent in the next way, and
    changes this object.
    """

    __slots__ = ("phone", "user")

    def __init__(
        self, client: TelegramClient, raw: api.auth.SentCode, phone: str, user: User | None = None
    ) -> None:
        super().__init__(client, raw)
        self.phone = phone
        """The number that it was asked for."""
        self.user = user
        """Who is signed in already, by a token of an earlier log_out(): no code is needed then."""

    def __repr__(self) -> str:
        return f"<LoginCode {self.way}, {self.length or 'unknown'} characters>"

    @property
    def phone_code_hash(self) -> str:
        """What goes with the code to auth.signIn and auth.signUp."""
        return self.raw.phone_code_hash

    @property
    def way(self) -> str:
        """How it was sent: app, sms, call, flash_call, missed_call, email, fragment ..."""
        return _WAYS.get(self.raw.type.TL_NAME, ("other", ""))[0]

    @property
    def where(self) -> str:
        """The same as words for a person."""
        words = _WAYS.get(self.raw.type.TL_NAME, ("", "in a way that is not known here"))[1]
        kind = self.raw.type
        if isinstance(kind, api.auth.SentCodeTypeEmailCode):
            return f"{words} to {kind.email_pattern}"
        if isinstance(kind, api.auth.SentCodeTypeFragmentSms):
            return f"{words} ({kind.url})"
        if isinstance(kind, api.auth.SentCodeTypeMissedCall):
            return f"{words}, which begins with {kind.prefix}"
        if isinstance(kind, api.auth.SentCodeTypeFlashCall):
            return f"{words}, of the form {kind.pattern}"
        if isinstance(kind, api.auth.SentCodeTypeSmsWord | api.auth.SentCodeTypeSmsPhrase):
            return f"{words} that begins with {kind.beginning}" if kind.beginning else words
        return words

    @property
    def length(self) -> int | None:
        """How many characters it has; None if that is not told."""
        return getattr(self.raw.type, "length", None)

    @property
    def next_way(self) -> str | None:
        """How :meth:`resend` sends it; None if there is no other way."""
        following = self.raw.next_type
        return None if following is None else _WAYS.get(following.TL_NAME, ("other", ""))[0]

    @property
    def timeout(self) -> int | None:
        """Seconds after which it may be sent in the next way; None if that is not told."""
        return self.raw.timeout

    async def sign_in(self, code: str | int) -> User | None:
        """Sign in with the code; see :meth:`TelegramClient.sign_in`."""
        return await self.client.sign_in(
            self.phone, code, self.phone_code_hash, by_email=self.way == "email"
        )

    async def sign_up(self, first_name: str, last_name: str = "") -> User:
        """Make an account, once :meth:`sign_in` gave None."""
        return await self.client.sign_up(self.phone, self.phone_code_hash, first_name, last_name)

    async def resend(self) -> LoginCode:
        """Have it sent in the next way: the old code is not good any more. Gives this object.

        Raises SendCodeUnavailable if there is no other way, PhoneCodeExpired if it is too late.
        """
        sent = await self.client.resend_code(self.phone, self.phone_code_hash)
        self.raw, self.user = sent.raw, sent.user
        return self

    async def renew(self) -> LoginCode:
        """Ask for another code, in place of one that has expired. Gives this object."""
        sent = await self.client.send_code(self.phone)
        self.raw, self.user = sent.raw, sent.user
        return self

    async def cancel(self) -> None:
        """Make it worthless: whoever gets it cannot sign in with it."""
        await self.client.cancel_code(self.phone, self.phone_code_hash)


class LoginSession(Friendly[api.Authorization]):
    """One login of this account: a device or a program."""

    __slots__ = ()

    def __repr__(self) -> str:
        mark = ", this one" if self.is_current else ""
        return f"<LoginSession {self.id} {self.app!r} on {self.device!r}{mark}>"

    @property
    def id(self) -> int:
        """What ends it; 0 for the current one, which log_out() ends."""
        return self.raw.hash

    @property
    def is_current(self) -> bool:
        """Whether it is the one that asks."""
        return self.raw.current

    @property
    def is_official(self) -> bool:
        """Whether it is an app of Telegram's own."""
        return self.raw.official_app

    @property
    def is_unconfirmed(self) -> bool:
        """Whether nobody has said yet that this login is the owner's."""
        return self.raw.unconfirmed

    @property
    def needs_password(self) -> bool:
        """Whether the code was right there but the password was not given yet."""
        return self.raw.password_pending

    @property
    def app(self) -> str:
        """Name and version of the program."""
        return f"{self.raw.app_name} {self.raw.app_version}".strip()

    @property
    def device(self) -> str:
        """Model and system of the device, as it told them itself."""
        system = f"{self.raw.platform} {self.raw.system_version}".strip()
        return f"{self.raw.device_model}, {system}" if system else self.raw.device_model

    @property
    def place(self) -> str:
        """Where the address is said to be."""
        return ", ".join(part for part in (self.raw.region, self.raw.country) if part)

    @property
    def ip(self) -> str:
        """Address that it was last used from."""
        return self.raw.ip

    @property
    def created(self) -> datetime | None:
        """When it was made."""
        return moment(self.raw.date_created)

    @property
    def last_active(self) -> datetime | None:
        """When it was last used."""
        return moment(self.raw.date_active)

    async def end(self) -> None:
        """Log it out; see :meth:`TelegramClient.end_session`."""
        await self.client.end_session(self)


class TwoStep(Friendly[api.account.Password]):
    """The state of an account's two-step verification."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<TwoStep {'on' if self.is_on else 'off'}>"

    @property
    def is_on(self) -> bool:
        """Whether a login needs a password."""
        return self.raw.has_password

    @property
    def hint(self) -> str:
        """What the owner wrote down to remember it by; empty if nothing."""
        return self.raw.hint or ""

    @property
    def has_recovery(self) -> bool:
        """Whether a confirmed e-mail address can bring the account back."""
        return self.raw.has_recovery

    @property
    def unconfirmed_email(self) -> str | None:
        """Address, partly hidden, that waits for its code; None if none does."""
        return self.raw.email_unconfirmed_pattern

    @property
    def login_email(self) -> str | None:
        """Address, partly hidden, that login codes go to; None if they go to the phone."""
        return self.raw.login_email_pattern

    @property
    def reset_at(self) -> datetime | None:
        """When a reset that was asked for may be completed; None if none was."""
        return moment(self.raw.pending_reset_date)


class TwoStepReset(msgspec.Struct, frozen=True):
    """What became of a wish to reset the password."""

    done: bool
    """Whether the account has no password any more."""
    at: datetime | None = None
    """When to ask again: from then on the reset is carried out."""
    refused_until: datetime | None = None
    """Until when no reset may be begun, since one was cancelled lately."""
