"""The pytest plugin, in projects of its own: what its fixtures do and what a failure shows."""

from __future__ import annotations

import subprocess
import sys

import pytest

import radiogram.testing.server
import radiogram.testing.telethon  # noqa: F401
from radiogram.server import handlers

# Loaded here: pytester forgets what a project has imported, and SQLAlchemy cannot be loaded twice.
handlers.load()

pytest_plugins = ["pytester"]

INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makefile(".ini", pytest=INI)
    return pytester


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    return project.runpytest_inprocess("-p", "no:randomly", "-n0", *options)


BOTH_SIDES = """
import pytest
from radiogram import api

@pytest.mark.parametrize("turn", range(3))
async def test_two(client, make_user, make_client, telegram_server, turn):
    ada = make_user("Ada", username="ada_lovelace")
    other = await make_client(ada)
    pushed = other.updates()
    await client(api.messages.SendMessage(peer="@ada_lovelace", message="hello"))
    async for update in pushed:
        assert update.updates[0].message.message == "hello"
        assert update.updates[0].message.id == 1     # a fresh world
        break
    assert len(telegram_server.world.online()) == 2
"""


def test_every_test_has_a_fresh_world(project: pytest.Pytester) -> None:
    project.makepyfile(BOTH_SIDES)
    run(project).assert_outcomes(passed=3)


def test_strict_mode_and_wider_loops(project: pytest.Pytester) -> None:
    project.makefile(".ini", pytest=INI.replace("auto", "strict"))
    project.makepyfile(
        test_one=f"""
        import pytest
        pytestmark = pytest.mark.asyncio
        {BOTH_SIDES.replace(chr(10), chr(10) + " " * 8)}
        """,
        test_two="""
        import asyncio
        import pytest
        pytestmark = pytest.mark.asyncio(loop_scope="module")
        loops = []

        @pytest.mark.parametrize("turn", range(2))
        async def test_it(client, turn):
            loops.append(asyncio.get_running_loop())
            assert (await client.get_me()).first_name == "User 1"
            assert len(set(loops)) == 1
        """,
    )
    run(project).assert_outcomes(passed=5)


@pytest.mark.slow
def test_it_works_beside_xdist(project: pytest.Pytester) -> None:
    project.makepyfile(BOTH_SIDES.replace("range(3)", "range(6)") + "    assert turn != 4\n")
    result = project.runpytest_subprocess("-p", "no:randomly", "-n2")
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["*telegram traffic*", "*User 1 *-> messages.sendMessage(*hello*"])


def test_a_test_without_a_loop(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest
        from radiogram import api
        from radiogram.server import RpcFault

        def test_it(telegram_server, make_user, make_bot, clock):
            clock.freeze(1_800_000_000)
            ada, bot = make_user("Ada", username="ada_lovelace"), make_bot("Echo")
            found = telegram_server.call(ada, api.contacts.ResolveUsername(username=bot.username))
            telegram_server.call(ada, api.messages.SendMessage(
                peer=api.InputPeerUser(
                    user_id=found.users[0].id, access_hash=found.users[0].access_hash
                ),
                message="/start", random_id=1))
            got = telegram_server.call(
                bot, api.messages.GetMessages(id=[api.InputMessageID(id=1)])
            )
            assert (got.messages[0].message, got.messages[0].date) == ("/start", 1_800_000_000)
            with pytest.raises(RpcFault, match="USERNAME_NOT_OCCUPIED"):
                telegram_server.call(ada, api.contacts.ResolveUsername(username="nobody_here"))
    """)
    run(project).assert_outcomes(passed=1)


def test_a_failure_shows_the_traffic(project: pytest.Pytester) -> None:
    project.makepyfile("""
        from radiogram import api

        async def test_it(client, faults, clock):
            clock.freeze(1_800_000_000)
            faults.flood_wait("messages.sendMessage", seconds=30)
            await client(api.messages.SendMessage(peer="me", message="a word " * 100))
            assert clock.now() == 1_800_000_030
            raise KeyError("failed")

        async def test_it_passes(client):
            pass

        def test_without_server():
            raise KeyError
    """)
    result = run(project)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*telegram traffic*",
            "*User 1 *-> messages.sendMessage(peer=inputPeerSelf(), message='a word *'..., *",
            "*User 1 *fault: error FLOOD_WAIT_30 messages.sendMessage",
            "*User 1 *<- 420 FLOOD_WAIT_30",
            "*User 1 *-> messages.sendMessage(*",
            "*User 1 *<~ updates(updates=[[]updateNewMessage(*",
            "*User 1 *<- updates(updates=[[]updateMessageID(*",
        ]
    )
    assert result.stdout.str().count("telegram traffic") == 1


def test_the_traffic_is_bounded(project: pytest.Pytester) -> None:
    project.makepyfile("""
        from radiogram import api

        def test_it(telegram_server, make_user):
            ada = make_user("Ada")
            for _ in range(700):
                telegram_server.call(ada, api.help.GetNearestDc())
            assert len(telegram_server.traffic.entries) == 1000
            raise KeyError
    """)
    result = run(project)
    result.stdout.fnmatch_lines(["(1301 earlier entries are not shown)"])
    shown = [line for line in result.stdout.lines if "nearestDc" in line or "getNearestDc" in line]
    assert len(shown) == 100


def test_calls_are_waited_for(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import asyncio
        import pytest
        from radiogram import api

        async def test_it(client, telegram_server, make_user, make_client):
            ada = make_user("Ada")
            await client(api.messages.SendMessage(peer="me", message="early"))
            early = await telegram_server.wait_for_call("messages.send*")
            assert early.request.message == "early"
            other = await make_client(ada)
            soon = asyncio.create_task(_later(other))
            call = await telegram_server.wait_for_call("messages.sendMessage", by=ada)
            assert call.request.message == "late"
            with pytest.raises(TimeoutError, match="no messages.sendMessage by Ada within 0.01 s"):
                await telegram_server.wait_for_call("messages.sendMessage", by=ada, timeout=0.01)
            await soon
            await client(api.messages.SendMessage(peer="me", message="last"))
            assert len(telegram_server.traffic.calls("messages.sendMessage")) == 3
            assert len(telegram_server.traffic.calls("*", ada.id)) == 3  # with those of connect()

        async def _later(client):
            await asyncio.sleep(0)
            await client(api.messages.SendMessage(peer="me", message="late"))
    """)
    run(project).assert_outcomes(passed=1)


def test_a_restart_keeps_the_world_and_the_faults(project: pytest.Pytester) -> None:
    project.makepyfile("""
        from radiogram import api

        async def test_it(client, telegram_server, faults):
            port = telegram_server.port
            await client(api.messages.SendMessage(peer="me", message="before"))
            faults.internal_error("messages.sendMessage")
            telegram_server.stop()
            assert not telegram_server.is_running
            telegram_server.start()
            assert telegram_server.port == port
            await client(api.messages.SendMessage(peer="me", message="after"))
            assert faults.count("error") == 1
            history = await client(api.messages.GetHistory(peer="me", offset_id=0, offset_date=0,
                add_offset=0, limit=10, max_id=0, min_id=0, hash=0))
            assert [one.message for one in history.messages] == ["after", "before"]
            telegram_server.restart()
            assert (await client.get_me()).first_name == "User 1"
    """)
    run(project).assert_outcomes(passed=1)


def test_other_fixtures_of_these_names_win(project: pytest.Pytester) -> None:
    project.makeconftest("""
        import pytest

        @pytest.fixture
        def client():
            return "mine"
    """)
    project.makepyfile("""
        def test_it(client, make_user):
            assert client == "mine"
            assert make_user().name == "User 1"
    """)
    run(project).assert_outcomes(passed=1)


def test_the_names_can_have_a_prefix(project: pytest.Pytester) -> None:
    project.makefile(".ini", pytest=INI + "radiogram_prefix = tg_\n")
    project.makepyfile("""
        import pytest

        async def test_it(tg_client, tg_make_client, tg_make_user, tg_make_bot):
            await tg_client.get_me()

        def test_more(tg_clock, tg_faults):
            pass

        def test_not_the_others(client):
            pass
    """)
    run(project).assert_outcomes(passed=2, errors=1)


def test_a_client_needs_a_loop(project: pytest.Pytester) -> None:
    project.makefile(".ini", pytest="[pytest]\n")
    project.makepyfile("def test_it(client): pass")
    result = run(project, "-p", "no:asyncio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*needs an event loop: install pytest-asyncio or anyio*"])


@pytest.mark.slow
def test_telethon(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import asyncio
        from telethon import events
        from radiogram import api

        async def test_it(telegram_server, make_user, make_bot, client):
            bot = make_bot("Echo", username="echo_bot")
            program = telegram_server.telethon_client(bot)
            async with program:
                @program.on(events.NewMessage(pattern="/start"))
                async def start(event):
                    await event.reply("hello from Telethon")

                pushed = client.updates()
                await client(api.messages.SendMessage(peer="@echo_bot", message="/start"))
                await telegram_server.wait_for_call("messages.sendMessage", by=bot)
                async for update in pushed:
                    assert update.updates[0].message.message == "hello from Telethon"
                    break

        async def test_signing_in(telegram_server, make_user):
            ada = make_user("Ada")
            program = telegram_server.telethon_client()
            await program.start(phone=lambda: ada.phone, code_callback=lambda: ada.code)
            assert (await program.get_me()).first_name == "Ada"
            await program.disconnect()
    """)
    run(project, "-W", "ignore").assert_outcomes(passed=2)


@pytest.mark.slow
def test_who_does_not_use_it_does_not_load_it(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import sys

        def test_it():
            ours = {name for name in sys.modules if name.startswith("radiogram")}
            assert ours == {"radiogram", "radiogram.testing", "radiogram.testing.plugin",
                            "radiogram.testing.with_anyio", "radiogram.testing.with_asyncio"}
            assert "sqlalchemy" not in sys.modules
            assert "msgspec" not in sys.modules
    """)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:randomly"],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout


def test_anyio(project: pytest.Pytester) -> None:
    project.makefile(".ini", pytest=INI.replace("auto", "strict"))
    project.makepyfile(
        f"""
        import pytest
        pytestmark = pytest.mark.anyio

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
        {BOTH_SIDES.replace(chr(10), chr(10) + " " * 8)}
        """
    )
    run(project).assert_outcomes(passed=3)
    ini = "[pytest]\nfilterwarnings = error\n"
    project.makefile(".ini", pytest=ini)
    run(project, "-p", "no:asyncio").assert_outcomes(passed=3)


CHAOS = """
    from radiogram import api

    async def test_it(make_client, make_user, faults):
        faults.chaos(every=4, kinds=["repeat", "reorder", "push"])
        ada = make_user("Ada")
        client = await make_client(ada)
        for number in range(30):
            await client(api.messages.SendMessage(peer="me", message=str(number)))
        assert faults.injected
        raise KeyError("failed")
"""


def faults_shown(result: pytest.RunResult) -> list[str]:
    """Return the lines about faults in a report, in an order that says nothing of threads."""
    lines = result.outlines
    start = next(n for n, line in enumerate(lines) if "telegram faults" in line)
    shown = []
    for line in lines[start + 1 :]:
        if line.startswith("==="):
            break
        shown.append(line)
    return shown


def test_the_seed_and_what_followed_from_it_are_shown(project: pytest.Pytester) -> None:
    project.makepyfile(CHAOS)
    shown = faults_shown(run(project, "--telegram-seed=5"))
    assert shown[:2] == ["seed 5", "chaos,every=4,seed=5,kinds=repeat+reorder+push"]
    assert shown[-1] == "(again with --telegram-seed=5)"
    injected = [line for line in shown if "number" in line]
    assert injected
    from radiogram.server.faults.chaos import Chaos

    planned = Chaos.of(5, 4, ["repeat", "reorder", "push"])
    for line in injected:
        kind, direction = line.replace(",", "").split()[:2]
        number = int(line.partition("(number ")[2].split()[0])
        user_id = int(line.partition("user ")[2].split()[0])
        stream = "push" if kind == "push" else direction
        wanted = direction if kind == "push" else kind
        assert (number, wanted) in planned.schedule(stream, user_id, number)


def test_the_same_seed_makes_the_same_schedule(project: pytest.Pytester) -> None:
    project.makepyfile(CHAOS)
    first, second, other = (
        faults_shown(run(project, f"--telegram-seed={seed}")) for seed in (5, 5, 6)
    )

    def incoming(lines: list[str]) -> list[str]:
        return [line for line in lines if " out," in line][:5]

    assert incoming(first) == incoming(second) != incoming(other)


def test_a_seed_can_be_random_but_is_a_number(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_it(faults, request):
            assert faults.seed >= 0
            faults.timeout("*")
            raise KeyError
    """)
    shown = faults_shown(run(project, "--telegram-seed=random"))
    assert shown[1:2] == ["waiting: error * Timeout,times=1"]
    assert int(shown[0].removeprefix("seed ")) >= 0
    result = run(project, "--telegram-seed=soon")
    result.stderr.fnmatch_lines(["*--telegram-seed soon: not a number; give a whole number*"])


def test_without_faults_nothing_is_said_of_them(project: pytest.Pytester) -> None:
    project.makepyfile("def test_it(telegram_server): raise KeyError")
    assert "telegram faults" not in run(project).stdout.str()
