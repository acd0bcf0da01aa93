"""The command ``radiogram fault``: faults for a server that runs already.

Top layer. Knows the options; what faults there are is for the server to know.
"""

from __future__ import annotations

import click

from radiogram.cli.admin import ask, where


@click.command()
@where
@click.option("--clear", is_flag=True, help="Take away what waits before adding anything.")
@click.option("--injected", is_flag=True, help="Show what has happened so far instead.")
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
def fault(to: str, token: str | None, clear: bool, injected: bool, specs: tuple[str, ...]) -> None:
    """Let something go wrong in a running server.

    SPEC is as of `radiogram serve --fault`, such as flood_wait:messages.sendMessage:30,times=2.
    Without one, what waits is shown.
    """
    requests: list[tuple[str, dict[str, object]]] = []
    if clear:
        requests.append(("fault.clear", {}))
    for spec in specs:
        requests.append(("fault.add", {"spec": spec}))
    requests.append(("fault.injected" if injected else "fault.waiting", {}))
    result = ask(to, token, *requests)
    for one in result:
        if isinstance(one, str):
            click.echo(one)
        else:
            click.echo(f"{one['kind']} {one['detail']}, user {one['user_id']}")
