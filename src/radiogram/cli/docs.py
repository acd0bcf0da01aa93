"""The command ``radiogram docs``: pages in the terminal and as a site.

Top layer. Knows the options and hands them on; what it does is imported when it runs.
"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name", required=False)
@click.option(
    "--tab",
    type=click.Choice(["asyncio", "script", "command", "javascript", "typescript"]),
    default="asyncio",
    show_default=True,
    help="How examples are written.",
)
@click.option("--markdown", is_flag=True, help="Print the page as Markdown.")
@click.option(
    "--export",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write all pages as a site into a directory, made if missing.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address to use.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8043,
    show_default=True,
    help="Port of the site; 0 takes a free one.",
)
def docs(
    name: str | None, tab: str, markdown: bool, target: Path | None, host: str, port: int
) -> None:
    """Show the page of a method, type or error, or all pages as a site.

    NAME is Telegram's name or Python's: messages.updatePinnedMessage, InputPeer, FLOOD_WAIT_X.
    Without NAME the site is served on this machine, with an embedded server on which each example
    can be run; it ends on an interrupt (Ctrl-C).
    """
    if name is not None and target is not None:
        raise click.UsageError("NAME and --export do not go together")
    if target is not None:
        _export(target)
    elif name is not None:
        _show(name, tab, markdown=markdown)
    else:
        _serve(host, port)


def _show(name: str, tab: str, *, markdown: bool) -> None:
    from rich.console import Console

    from radiogram.docs import markdown as as_markdown
    from radiogram.docs import terminal
    from radiogram.docs.model import program_model

    model = program_model()
    page = model.find(name)
    if page is None:
        near = model.closest(name)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise click.ClickException(f"there is no page {name!r}{hint}")
    if markdown:
        click.echo(as_markdown.page(page), nl=False)
    else:
        terminal.show(page, Console(highlight=False), tab=tab)


def _serve(host: str, port: int) -> None:
    import asyncio

    from radiogram.docs.explorer import is_local, serve

    if not is_local(f"[{host}]" if ":" in host else host):
        raise click.BadParameter(
            f"{host} is not an address of this machine alone; use 127.0.0.1 or ::1",
            param_hint="--host",
        )
    try:
        asyncio.run(serve(host, port, announce=_announce))
    except OSError as error:
        raise click.ClickException(
            f"--port {port}: {error.strerror}; choose another port, 0 for a free one"
        ) from None


def _announce(where: str) -> None:
    click.echo(f"The pages are at {where}. Stop with Ctrl+C.")


def _export(target: Path) -> None:
    from radiogram.docs.export import export
    from radiogram.docs.html import Site
    from radiogram.docs.model import program_model

    try:
        count = export(Site(program_model()), target)
    except OSError as error:
        raise click.ClickException(
            f"--export {target}: {error.strerror}; give a directory that can be written"
        ) from None
    click.echo(f"{count} pages in {target}; open {target / 'index.html'}")
