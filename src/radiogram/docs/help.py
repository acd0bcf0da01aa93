"""Layer 5, docs: a page as plain text, for ``help(api.messages.UpdatePinnedMessage)``.

Shorter than the page: no programs, and of errors the names with what they mean.
"""

from __future__ import annotations

import textwrap
from functools import cache

from radiogram.docs.code import python_call
from radiogram.docs.markdown import callers
from radiogram.docs.model import ConstructorPage, MethodPage, Model, Parameter
from radiogram.tl.schema.definition import Definition

WIDTH = 92


def text_for(definition: Definition) -> str:
    """Give the text for a class; of other layers than the newest, the declaration alone."""
    model = _model()
    if not model.has(definition.name) or model.registry.find(definition.name) != definition:
        return str(definition)
    page = model.find(definition.name)
    parts = [str(definition)]
    if isinstance(page, MethodPage):
        parts = [page.about.text, *_details(page.details)]
        parts.append(f"Example::\n\n    {python_call(page.examples[0].calls[-1])}")
        parts += _parameters("Parameters", page.parameters)
        parts.append(f"Result: {page.result}. {page.result_about}")
        if page.errors:
            errors = (f"{one.code} {one.name}: {one.about}" for one in page.errors)
            parts.append("Possible errors:\n\n" + "\n".join(map(_entry, errors)))
        parts.append("\n".join(f"{question} {answer}" for question, answer in callers(page.facts)))
        parts.append(page.declaration)
    elif isinstance(page, ConstructorPage):
        parts = [page.about.text, *_details(page.details)]
        parts += _parameters("Fields", page.parameters)
        parts += [f"Type: {page.type}.", page.declaration]
    return "\n\n".join(parts)


@cache
def _model() -> Model:
    return Model()


def _details(text: str) -> list[str]:
    return [text] if text else []


def _parameters(title: str, parameters: tuple[Parameter, ...]) -> list[str]:
    if not parameters:
        return []
    lines = (
        f"{one.name}: {'flag' if one.is_flag else one.type}"
        f"{', optional' if one.optional and not one.is_flag else ''}. {one.about}"
        for one in parameters
    )
    return [f"{title}:\n\n" + "\n".join(map(_entry, lines))]


def _entry(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="        ")
