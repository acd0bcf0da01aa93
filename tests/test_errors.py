"""The tree of errors: names from servers become classes, and say what to do."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radiogram import errors
from tools import errors as tool


@dataclass
class Call:
    """Stands for a request."""

    TL_NAME = "messages.updatePinnedMessage"
    id: int = 43


@pytest.mark.parametrize(
    ("code", "message", "cls", "kind", "name", "value"),
    [
        (420, "FLOOD_WAIT_359", "FloodWait", errors.Flood, "FLOOD_WAIT_X", 359),
        (420, "FLOOD_WAIT_X", "FloodWait", errors.Flood, "FLOOD_WAIT_X", None),
        (400, "FILE_PART_3_MISSING", "FilePartMissing", errors.BadRequest, None, 3),
        (400, "FILE_REFERENCE_0_EXPIRED", "FileReferenceExpired", errors.BadRequest, None, 0),
        (500, "INTERDC_2_CALL_ERROR", "InterdcCallError", errors.ServerError, None, 2),
        (420, "2FA_CONFIRM_WAIT_60", "TwoFaConfirmWait", errors.Flood, None, 60),
        (400, "MD5_CHECKSUM_INVALID", "Md5ChecksumInvalid", errors.BadRequest, None, None),
        (303, "USER_MIGRATE_4", "UserMigrate", errors.SeeOther, "USER_MIGRATE_X", 4),
        (401, "SESSION_PASSWORD_NEEDED", "SessionPasswordNeeded", errors.Unauthorized, None, None),
        (403, "CHAT_WRITE_FORBIDDEN", "ChatWriteForbidden", errors.Forbidden, None, None),
        (404, "PEER_ID_INVALID", "PeerIdInvalid", errors.NotFound, None, None),
        (406, "AUTH_KEY_DUPLICATED", "AuthKeyDuplicated", errors.NotAcceptable, None, None),
        (-503, "Timeout", "Timeout", errors.ServerError, "Timeout", None),
        (503, "ApiCallError", "ApiCallError", errors.ServerError, "ApiCallError", None),
        (-500, "Invalid msgs_ack query", "InvalidMsgsAckQuery", errors.ServerError, None, None),
        (403, "RECAPTCHA_CHECK_signup__6Lc", "RecaptchaCheck", errors.Forbidden, None, None),
        (404, "METHOD_INVALID_AUTH_NEWS", "MethodInvalid", errors.NotFound, None, None),
        (400, "NEWS_OF_1_TOMORROW_2", "NewsOfTomorrow", errors.BadRequest, None, 1),
    ],
)
def test_a_name_becomes_a_class(
    code: int,
    message: str,
    cls: str,
    kind: type[errors.RpcError],
    name: str | None,
    value: int | None,
) -> None:
    """A11.2: numbers may stand at the end or inside."""
    error = errors.rpc_error(code, message)
    assert isinstance(error, getattr(errors, cls))
    assert isinstance(error, kind)
    assert type(error).__name__ == cls
    assert (error.code, error.value, error.message) == (code, value, message)
    assert name is None or error.name == name


def test_one_name_under_several_codes_is_of_the_kind_that_came() -> None:
    kinds = {400: errors.BadRequest, 403: errors.Forbidden, 406: errors.NotAcceptable}
    for code, kind in kinds.items():
        error = errors.rpc_error(code, "CHANNEL_PRIVATE")
        assert isinstance(error, errors.ChannelPrivate)
        assert [other for other in kinds.values() if isinstance(error, other)] == [kind]


def test_an_error_that_nobody_knows_yet_can_be_caught_by_name() -> None:
    with pytest.raises(errors.PinnedByMoonlight):  # type: ignore[attr-defined]
        raise errors.rpc_error(400, "PINNED_BY_MOONLIGHT")


def test_waits_and_migrations_tell_their_number() -> None:
    wait = errors.rpc_error(420, "SLOWMODE_WAIT_31")
    assert isinstance(wait, errors.Wait)
    assert wait.seconds == 31
    fresh = errors.rpc_error(400, "PASSWORD_TOO_FRESH_500")
    assert isinstance(fresh, errors.Wait)
    assert fresh.seconds == 500
    move = errors.rpc_error(303, "PHONE_MIGRATE_5")
    assert isinstance(move, errors.Migrate)
    assert move.dc == 5


def test_the_text_says_what_to_do_and_then_name_code_and_method() -> None:
    text = str(errors.rpc_error(420, "FLOOD_WAIT_359", Call()))
    assert "wait 359 seconds" in text
    assert text.endswith("[420 FLOOD_WAIT_359, answer to messages.updatePinnedMessage]")
    derived = str(errors.rpc_error(400, "MOON_PHASE_INVALID"))
    assert derived.startswith("Moon phase is not valid. Correct the request")
    assert "unknown number of seconds" in str(errors.rpc_error(420, "FLOOD_WAIT_X"))


def test_every_known_error_speaks() -> None:
    for name, known in errors.known_errors().items():
        cls = getattr(errors, name)
        assert issubclass(cls, errors.RpcError)
        for code in known.codes:
            error = errors.rpc_error(code, known.name.replace("_X", "_7"))
            assert isinstance(error, cls), known
            text = str(error)
            assert "{" not in text
            assert len(text) > 20


@pytest.mark.parametrize(
    "method_errors",
    ["MESSAGE_ID_INVALID", "PEER_ID_INVALID", "BOT_ONESIDE_NOT_AVAIL", "CHAT_NOT_MODIFIED",
     "PIN_RESTRICTED", "USER_BANNED_IN_CHANNEL", "CHANNEL_PRIVATE", "CHAT_ADMIN_REQUIRED",
     "CHAT_WRITE_FORBIDDEN", "PHONE_CODE_INVALID", "USERNAME_OCCUPIED", "MESSAGE_NOT_MODIFIED",
     "AUTH_KEY_UNREGISTERED", "ACCESS_TOKEN_INVALID", "RANDOM_ID_DUPLICATE"],
)  # fmt: skip
def test_errors_of_daily_life_have_a_sentence_of_their_own(method_errors: str) -> None:
    known = errors.known_errors()[errors.class_name(method_errors)]
    assert known.sentence.endswith(".")


def test_pickle_and_copy() -> None:
    for code, message in [(420, "FLOOD_WAIT_3"), (406, "CHANNEL_PRIVATE"), (400, "Z" * 999)]:
        error = errors.rpc_error(code, message, Call())
        for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
            assert type(other) is type(error)
            assert (other.code, other.name, other.value, other.request, str(other)) == (
                (error.code, error.name, error.value, error.request, str(error))
            )
    by_hand = errors.FloodWait(420, "FLOOD_WAIT_X", 5)
    assert pickle.loads(pickle.dumps(by_hand)).value == 5


@given(st.integers(-(2**31), 2**31 - 1), st.text(max_size=300))
def test_no_text_of_a_server_does_harm(code: int, message: str) -> None:
    error = errors.rpc_error(code, message)
    assert isinstance(error, errors.RpcError)
    assert error.code == code
    assert str(error).isprintable()
    assert len(str(error)) < 1000
    assert type(pickle.loads(pickle.dumps(error))) is type(error)


@pytest.mark.parametrize(
    "message",
    ["", "_", "X", "_X_", "1" * 5000, "A_" + "9" * 5000, "A" * 10**6, "é", "A\x1b[31m", "²_²",
     "FLOOD", "SECURITY_ERROR", "RPC_ERROR", "WAIT_3", "KNOWN", "__CLASS__", "a.b", "A\n"],
)  # fmt: skip
def test_names_that_are_no_names_get_the_plain_kind_or_a_harmless_class(message: str) -> None:
    error = errors.rpc_error(400, message)
    assert isinstance(error, errors.BadRequest)
    assert len(error.name) <= errors.MAX_NAME
    assert not isinstance(error, errors.SecurityError | errors.Flood)


def test_a_server_that_invents_names_without_end_fills_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errors, "_classes", {})
    monkeypatch.setattr(errors, "_of_code", {})
    monkeypatch.setattr(errors, "_foreign", set())
    for number in range(errors.MAX_FOREIGN + 500):
        error = errors.rpc_error(400, f"INVENTED{number}_NAME")
    assert type(error) is errors.BadRequest
    assert len(errors._classes) <= errors.MAX_FOREIGN
    assert isinstance(errors.rpc_error(420, "FLOOD_WAIT_1"), errors.FloodWait)


@pytest.mark.parametrize("name", ["flood_wait", "_Flood", "__path__", "FLOOD_WAIT", "A" * 500])
def test_what_cannot_be_a_class_of_errors_is_no_attribute(name: str) -> None:
    assert not hasattr(errors, name)


def test_importing_errors_reads_no_table() -> None:
    code = (
        "import sys, radiogram.errors as e; assert not e._known;"
        "assert 'importlib.resources' not in sys.modules; print('cheap')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "cheap\n"


def test_the_tool_keeps_our_sentences() -> None:
    source = "code\tname\tmethods\n400\tA_B\t\n406\tA_B\tx\n420\tC_WAIT_X\t\n"
    before = tool.HEADER + "A_B\t400\tMind the gap.\nGONE\t400\t\nKEPT\t403\tStill here.\n"
    assert tool.make_table(source, before).splitlines()[1:] == [
        "A_B\t400,406\tMind the gap.",
        "C_WAIT_X\t420\t",
        "KEPT\t403\tStill here.",
    ]
