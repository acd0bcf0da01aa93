"""The page of messages.updatePinnedMessage in a real browser, as a reader would use it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = os.environ.get("RADIOGRAM_REQUIRE_INTEROP") == "1"
if CHROMIUM is None and not REQUIRED:
    pytest.skip("needs Chromium (on Debian: apt-get install chromium)", allow_module_level=True)

from playwright.async_api import Page, async_playwright, expect  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update")  # fmt: skip
SHOW_PIECE = "method/messages.updatePinnedMessage.html"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the pages as the command does."""
    with subprocess.Popen(
        [sys.executable, "-m", "radiogram", "docs", "--port", "0"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        match = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert match
        yield match[0]
        process.terminate()
        process.stdout.read()


@pytest.fixture
async def page(address: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        context = await browser.new_context(viewport={"width": 1100, "height": 900})
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = await context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(request.url))
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(address) else problems.append(asked.url),
        )
        await page.goto(address + SHOW_PIECE)
        await page.click(".reset")
        await expect(page.locator(".outcome")).to_contain_text("as it was in the beginning")
        yield page
        assert problems == []
        await browser.close()


async def fill(page: Page, actor: str, peer: str, number: int, *flags: str) -> None:
    await page.select_option('[name="$actor"]', actor)
    await page.fill('.run [name="peer"]', peer)
    await page.fill('.run [name="id"]', str(number))
    for flag in ("silent", "unpin", "pm_oneside"):
        await page.set_checked(f'.run [name="{flag}"]', flag in flags)


async def run(page: Page) -> None:
    await page.evaluate("document.querySelector('.outcome').replaceChildren()")
    await page.click('.run [type="submit"]')


@pytest.mark.timeout(180)
async def test_run_it_as_everybody_with_every_flag(page: Page) -> None:
    result, pushed = page.locator(".tree.result"), page.locator(".tree.update")
    for actor, peer, number in (("ada", "username", 40), ("ben", "ada_at_sea", 40)):
        for flag in ("silent", "unpin", "pm_oneside"):
            await fill(page, actor, peer, number, flag)
            await run(page)
            await expect(result).to_contain_text("updatePinnedMessages")
            await expect(pushed).to_have_count(0 if flag == "pm_oneside" else 1)
    await fill(page, "bot", "ada_at_sea", 1, "silent")
    await run(page)
    await expect(result).to_contain_text("updatePinnedMessages")
    await expect(page.locator(".outcome h4").nth(1)).to_have_text("Pushed to Ada")
    await fill(page, "bot", "ada_at_sea", 1, "pm_oneside")
    await run(page)
    await expect(page.locator(".problem")).to_contain_text("BOT_ONESIDE_NOT_AVAIL (400)")


async def test_provoke_an_error_and_follow_it(page: Page, address: str) -> None:
    await fill(page, "ada", "harbour_talk", 4, "silent")
    await run(page)
    await expect(page.locator(".tree.result")).to_be_visible()
    await run(page)
    await expect(page.locator(".problem")).to_contain_text("CHAT_NOT_MODIFIED (400)")
    await page.click(".problem a")
    await expect(page).to_have_url(address + "error/CHAT_NOT_MODIFIED.html")
    await expect(page.locator("main")).to_contain_text("messages.updatePinnedMessage")


async def test_copy_the_code_that_was_run(page: Page) -> None:
    await fill(page, "ada", "username", 43, "unpin", "pm_oneside")
    await run(page)
    await page.click(".outcome .copy")
    await expect(page.locator(".outcome .copy")).to_have_text("Copied")
    code = await page.evaluate("navigator.clipboard.readText()")
    compile(code, "copied", "exec")
    assert 'peer="username"' in code
    assert "pm_oneside=True" in code


async def test_tabs_are_remembered_and_search_works(page: Page, address: str) -> None:
    await page.click('[data-tab="TypeScript"] >> nth=0')
    await expect(page.locator('[data-panel="TypeScript"]').first).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("getHistory")
    await expect(page.locator("#found li a").first).to_contain_text("messages.getHistory")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(address + "method/messages.getHistory.html")
    await expect(page.locator('[data-panel="TypeScript"]').first).to_be_visible()


@pytest.mark.parametrize("width", [390, 1100])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_sticks_out(page: Page, width: int, scheme: str, tmp_path: Path) -> None:
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await page.set_viewport_size({"width": width, "height": 900})
    folder = Path(os.environ.get("RADIOGRAM_SCREENSHOTS") or tmp_path)
    await page.screenshot(path=folder / f"pin-{scheme}-{width}.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") is (scheme == "light")
    await page.click(".theme")
    other = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert other != paper
