"""The command ``radiogram schema``: declarations, and what changed between two layers.

Top layer. Knows the options and how declarations are shown.
"""

from __future__ import annotations

import json
from typing import Any

import click

from radiogram.errors import SchemaError


@click.group()
def schema() -> None:
    """Show declarations, and what changed between two layers."""


@schema.command()
@click.argument("name")
@click.option("--layer", type=int, help="Layer to look in; default: the newest.")
def show(name: str, layer: int | None) -> None:
    """Show the declarations of a method, constructor or type."""
    from radiogram.tl.build import registry
    from radiogram.tl.plain import closest
    from radiogram.tl.schema.tables import LAYER

    try:
        known = registry(LAYER if layer is None else layer)
    except SchemaError as error:
        raise click.BadParameter(str(error), param_hint="--layer") from None
    names = (
        [name] if known.find(name) else known.constructors(name) if name in known.types() else []
    )
    if not names:
        near = closest(name, known.names())
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise click.ClickException(f"layer {known.layer} has no {name!r}{hint}")
    for one in names:
        click.echo(str(known.definition(one)))


@schema.command()
@click.argument("before", type=int)
@click.argument("after", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def diff(before: int, after: int, as_json: bool) -> None:
    """Show what layer AFTER has added, changed and removed since layer BEFORE."""
    from radiogram.tl.schema.difference import diff as compare

    try:
        found = compare(before, after)
    except SchemaError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(_plain(found), indent=2))
        return
    for one in found.added:
        click.echo(click.style(f"+ {one}", fg="green"))
    for one in found.removed:
        click.echo(click.style(f"- {one}", fg="red"))
    for change in found.changed:
        click.echo(click.style(f"~ {change.name}", fg="yellow"))
        for text in change.added_fields:
            click.echo(click.style(f"    + {text}", fg="green"))
        for text in change.removed_fields:
            click.echo(click.style(f"    - {text}", fg="red"))
        if change.before.result != change.after.result:
            click.echo(f"    = {change.before.result} -> {change.after.result}")
    click.echo(
        f"{len(found.added)} new, {len(found.changed)} changed, {len(found.removed)} gone "
        f"from layer {before} to {after}"
    )


def _plain(found: Any) -> dict[str, Any]:
    return {
        "added": [str(one) for one in found.added],
        "removed": [str(one) for one in found.removed],
        "changed": [
            {
                "name": one.name,
                "added_fields": one.added_fields,
                "removed_fields": one.removed_fields,
            }
            for one in found.changed
        ],
    }
