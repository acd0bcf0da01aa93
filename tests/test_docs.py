"""The documents tell the truth: their programs run, and nothing that they must name is missing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from radiogram import api
from radiogram.server import Server

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_RUN = "<!-- not run: [^\n]+ -->"
BLOCK = re.compile(rf"(?P<mark>{NOT_RUN}\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)


def blocks(language: str) -> list[object]:
    """Return the blocks of a language in all pages, as parameters with readable ids."""
    return [
        pytest.param(match["text"], id=f"{page.stem}-{number}")
        for page in PAGES
        for number, match in enumerate(BLOCK.finditer(page.read_text("utf-8")), 1)
        if match["language"] == language and not match["mark"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("program", blocks("python"))
def test_programs_run(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(program, "a document", "exec", dont_inherit=True), {"__name__": "__main__"})
    assert capsys.readouterr().out, "a program in a document shows something"


@pytest.mark.parametrize("text", blocks("toml"))
async def test_world_files_load(text: str, tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_text(text, "utf-8")
    async with Server() as server:
        assert len(server.world.load_toml(path)) == len(re.findall(r"\[\[", text))


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
    ]
    names = {re.split(r"[\[<>=~ ]", line)[0] for line in wanted} - {"radiogram"}
    text = (ROOT / "DEPENDENCIES.md").read_text("utf-8")
    explained = re.findall(r"^- `(.+?)` — \w", text, re.MULTILINE)
    assert sorted(explained) == sorted(names)


def test_every_option_of_the_server_is_documented() -> None:
    from radiogram.cli.serve import serve

    text = (ROOT / "docs" / "server.md").read_text("utf-8")
    for parameter in serve.params:
        assert f"| `{parameter.opts[0]}` |" in text


def test_every_part_is_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    for part in (ROOT / "src" / "radiogram").iterdir():
        if part.suffix in {"", ".py"} and not part.name.startswith("_"):
            assert f"`{part.name}" in text, part.name


def test_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *PAGES]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_names_the_layer_and_the_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert f"layer {api.LAYER}" in text
    assert "pip install '.[server]' && radiogram demo" in text
    assert "pip install '.[test]' && pytest" in text
