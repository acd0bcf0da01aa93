"""Layer 5, docs: what a page says, before anybody decides how it looks.

Gathers the declaration and its history from the schema, who may call and which errors there are
from ``facts``, sentences from ``texts`` and, where there are none, from ``derive``, and what the
program itself has: handlers of the embedded server and friendly methods of the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import pairwise

import msgspec

from radiogram import errors
from radiogram.docs import derive, friendly
from radiogram.docs.code import Written
from radiogram.docs.examples import Output, examples, outputs
from radiogram.docs.facts import Facts, facts
from radiogram.docs.sample import sample
from radiogram.docs.texts import Text, text
from radiogram.tl.build import Registry, registry
from radiogram.tl.plain import closest
from radiogram.tl.schema.definition import Definition, Field, vector_item
from radiogram.tl.schema.tables import FIRST_LAYER, api_table


class Sentence(msgspec.Struct, frozen=True, gc=False):
    """Something said, and whether it follows from names by rule only."""

    text: str
    derived: bool = False

    def __str__(self) -> str:
        return self.text


class Parameter(msgspec.Struct, frozen=True, gc=False):
    """A parameter of a method, or a field of a constructor."""

    name: str
    """As Python has it."""
    type: str
    """TL type without its condition; ``true`` for flags."""
    optional: bool
    """Whether it may be left out."""
    is_flag: bool
    condition: str
    """Where the flag bit is, ``flags.2``; empty without one."""
    about: Sentence


class PossibleError(msgspec.Struct, frozen=True, gc=False):
    """An error that a method can be answered with."""

    code: int
    name: str
    class_name: str
    """In :mod:`radiogram.errors`."""
    about: Sentence


class Shown(msgspec.Struct, frozen=True, gc=False):
    """An example as a page shows it."""

    title: str
    actor: str
    """Who calls; empty for values by rule, which nobody has run."""
    calls: tuple[Written, ...]
    """What the acting account calls, the method of the page last."""
    output: Output | None = None
    """What came of it when it was run; None if it never was."""


class Step(msgspec.Struct, frozen=True, gc=False):
    """What changed in one layer."""

    layer: int
    text: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What pages of all kinds have."""

    name: str
    """Telegram's name, which is also the page's address."""
    kind: str
    """``method``, ``constructor``, ``type`` or ``error``."""
    about: Sentence
    details: str = ""
    related: tuple[str, ...] = ()
    guide: str = ""
    """Guide that tells more; empty: none."""
    section: str = ""
    """Section of that guide that belongs on the page."""


class MethodPage(Page, frozen=True, kw_only=True):
    """A method."""

    class_name: str
    """Within ``api``: ``messages.UpdatePinnedMessage``."""
    declaration: str
    examples: tuple[Shown, ...]
    """At least one; the first is the page's own."""
    parameters: tuple[Parameter, ...]
    result: str
    """TL type of the answer."""
    result_about: Sentence
    errors: tuple[PossibleError, ...]
    facts: Facts
    history: tuple[Step, ...]
    first_layer: int
    friendly: tuple[str, ...]
    """Methods of TelegramClient that make this call."""
    implemented: bool
    """Whether the embedded server has it."""


class ConstructorPage(Page, frozen=True, kw_only=True):
    """A constructor."""

    class_name: str
    declaration: str
    parameters: tuple[Parameter, ...]
    type: str
    siblings: tuple[str, ...]
    """The other constructors of its type."""
    history: tuple[Step, ...]
    first_layer: int


class TypePage(Page, frozen=True, kw_only=True):
    """An abstract type: the union of its constructors."""

    constructors: tuple[str, ...]
    returned_by: tuple[str, ...]
    taken_by: tuple[str, ...]
    """Methods with a parameter of this type."""
    part_of: tuple[str, ...]
    """Constructors with a field of this type."""


class ErrorPage(Page, frozen=True, kw_only=True):
    """A name of an error."""

    class_name: str
    codes: tuple[int, ...]
    raised_by: tuple[str, ...]


class Coverage(msgspec.Struct, frozen=True):
    """How much has been described by hand."""

    methods: int
    described: int
    """Methods whose sentence, parameters and errors are all written by hand."""
    implemented: int
    implemented_described: int


class Model:
    """All pages of one layer, made when they are asked for."""

    def __init__(self, layer: Registry | None = None, *, implemented: Iterable[str] = ()) -> None:
        self.registry = layer or registry()
        self._implemented = frozenset(implemented)

    # ── what there is ────────────────────────────────────────────────────────────────────────

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """Names of all methods, sorted."""
        return tuple(sorted(n for n, d in self._definitions.items() if d.is_method))

    @cached_property
    def constructors(self) -> tuple[str, ...]:
        """Names of all constructors, sorted."""
        return tuple(sorted(n for n, d in self._definitions.items() if not d.is_method))

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Names of all abstract types, sorted."""
        return tuple(sorted(self.registry.types()))

    @cached_property
    def errors(self) -> tuple[str, ...]:
        """Names of all known errors, sorted."""
        return tuple(sorted(self._errors))

    def find(self, name: str) -> Page | None:
        """Give the page of a method, constructor, type or error; names may be Python's.

        Of a type and a constructor with one name in Python, the type is meant.
        """
        if name in self._definitions:
            return self._of(self._definitions[name])
        if name in self._types:
            return self.type(name)
        if name in self._by_class:
            return self._of(self._by_class[name])
        if name.removeprefix("Type") in self._types:
            return self.type(name.removeprefix("Type"))
        if name in self._errors:
            return self.error(name)
        known = errors.known_errors().get(name)
        return self.error(known.name) if known else None

    def has(self, name: str) -> bool:
        """Tell whether the layer has a method or constructor of a name."""
        return name in self._definitions

    def _of(self, definition: Definition) -> Page:
        made = self.method if definition.is_method else self.constructor
        return made(definition.name)

    def closest(self, name: str, count: int = 5) -> list[str]:
        """Give the names that are most like one that was not found."""
        every = [*self._definitions, *self.types, *self.errors]
        return closest(name, every, count)

    # ── pages ────────────────────────────────────────────────────────────────────────────────

    def method(self, name: str) -> MethodPage:
        """Make the page of a method. Raises KeyError."""
        definition = self._definitions[name]
        if not definition.is_method:
            raise KeyError(name)
        said = text(name)
        known = facts(name)
        return MethodPage(
            name=name,
            kind="method",
            about=_said(said.about, derive.method(definition)),
            details=said.details.strip(),
            related=said.related or self._related(definition),
            guide=said.guide,
            section=said.section,
            class_name=definition.qualified_name,
            declaration=str(definition),
            examples=self._examples(definition),
            parameters=self._parameters(definition, said),
            result=definition.result,
            result_about=_said(said.result, derive.result(definition.result)),
            errors=tuple(self._error(code, one, said) for code, one in known.errors),
            facts=known,
            history=history(name),
            first_layer=_first_layer(name),
            friendly=friendly.covering(name),
            implemented=name in self._implemented,
        )

    def constructor(self, name: str) -> ConstructorPage:
        """Make the page of a constructor. Raises KeyError."""
        definition = self._definitions[name]
        if definition.is_method:
            raise KeyError(name)
        said = text(name)
        siblings = self.registry.constructors(definition.result)
        return ConstructorPage(
            name=name,
            kind="constructor",
            about=_said(said.about, derive.constructor(definition, len(siblings))),
            details=said.details.strip(),
            related=said.related,
            class_name=definition.qualified_name,
            declaration=str(definition),
            parameters=self._parameters(definition, said),
            type=definition.result,
            siblings=tuple(one for one in siblings if one != name),
            history=history(name),
            first_layer=_first_layer(name),
        )

    def type(self, name: str) -> TypePage:
        """Make the page of an abstract type. Raises KeyError."""
        if name not in self._types:
            raise KeyError(name)
        said = text(name)
        constructors = tuple(self.registry.constructors(name))
        forms = "one form" if len(constructors) == 1 else f"{len(constructors)} forms"
        return TypePage(
            name=name,
            kind="type",
            about=_said(said.about, derive.sentence(f"{derive.words(name)}: {forms}")),
            details=said.details.strip(),
            related=said.related,
            constructors=constructors,
            returned_by=self._returned_by.get(name, ()),
            taken_by=self._taken_by.get(name, ()),
            part_of=self._part_of.get(name, ()),
        )

    def error(self, name: str) -> ErrorPage:
        """Make the page of an error. Raises KeyError."""
        class_name, codes, about = self._errors[name]
        return ErrorPage(
            name=name,
            kind="error",
            about=about,
            class_name=class_name,
            codes=codes,
            raised_by=self._raised_by.get(name, ()),
        )

    def coverage(self) -> Coverage:
        """Count what has been described by hand."""
        pages = [self.method(name) for name in self.methods]
        return Coverage(
            methods=len(pages),
            described=sum(map(is_described, pages)),
            implemented=sum(page.implemented for page in pages),
            implemented_described=sum(page.implemented and is_described(page) for page in pages),
        )

    # ── parts ────────────────────────────────────────────────────────────────────────────────

    def _parameters(self, definition: Definition, said: Text) -> tuple[Parameter, ...]:
        return tuple(
            Parameter(
                name=field.attribute,
                type=field.type,
                optional=field.optional or definition.may_omit(field),
                is_flag=field.is_flag,
                condition=f"{field.word}.{field.bit}" if field.optional else "",
                about=_said(
                    said.params.get(field.attribute, ""), derive.parameter(field, definition)
                ),
            )
            for field in definition.fields
        )

    def _examples(self, definition: Definition) -> tuple[Shown, ...]:
        name = definition.name
        found = examples(name)
        if not found:
            call = Written(name, sample(definition, self.registry))
            return (Shown(title="", actor="", calls=(call,)),)
        given: tuple[Output | None, ...] = (*outputs(name), *[None] * len(found))
        return tuple(
            Shown(one.title, one.actor, tuple(one.written(name)), output)
            for one, output in zip(found, given, strict=False)
        )

    def _error(self, code: int, name: str, said: Text) -> PossibleError:
        class_name, _, about = self._errors[name]
        special = said.errors.get(name, "")
        return PossibleError(
            code=code,
            name=name,
            class_name=class_name,
            about=Sentence(special) if special else about,
        )

    def _related(self, definition: Definition) -> tuple[str, ...]:
        """Methods of the same namespace whose names share the most words."""
        mine = set(derive.words(definition.name).split()) - _COMMON
        scores: dict[str, int] = {}
        for name in self.methods:
            other = self._definitions[name]
            if other.namespace == definition.namespace and name != definition.name:
                common = mine & set(derive.words(name).split())
                if common:
                    scores[name] = len(common)
        return tuple(sorted(scores, key=lambda name: (-scores[name], name))[:6])

    @cached_property
    def _definitions(self) -> Mapping[str, Definition]:
        return {name: self.registry.definition(name) for name in self.registry.names()}

    @cached_property
    def _by_class(self) -> Mapping[str, Definition]:
        return {
            found: definition
            for definition in self._definitions.values()
            for found in (definition.qualified_name, f"api.{definition.qualified_name}")
        }

    @cached_property
    def _types(self) -> frozenset[str]:
        return frozenset(self.types)

    @cached_property
    def _errors(self) -> Mapping[str, tuple[str, tuple[int, ...], Sentence]]:
        table = errors.known_errors()
        names = {known.name for known in table.values()} | set(self._raised_by)
        found = {}
        for name in names:  # one class may have two names, which differ in case only
            class_name = errors.class_name(name)
            known = table.get(class_name)
            said = known.sentence.replace("{value}", "X") if known else ""
            codes = known.codes if known else ()
            found[name] = class_name, codes, _said(said, errors.paraphrase(name))
        return found

    @cached_property
    def _returned_by(self) -> Mapping[str, tuple[str, ...]]:
        return _reverse(
            (vector_item(self._definitions[name].result) or self._definitions[name].result, name)
            for name in self.methods
        )

    @cached_property
    def _taken_by(self) -> Mapping[str, tuple[str, ...]]:
        return self._with_fields(self.methods)

    @cached_property
    def _part_of(self) -> Mapping[str, tuple[str, ...]]:
        return self._with_fields(self.constructors)

    def _with_fields(self, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        return _reverse(
            (base_type(field), name) for name in names for field in self._definitions[name].fields
        )

    @cached_property
    def _raised_by(self) -> Mapping[str, tuple[str, ...]]:
        return _reverse((error, name) for name in self.methods for _, error in facts(name).errors)


def program_model() -> Model:
    """Make the model of this program: the newest layer, and what its embedded server has."""
    from radiogram.server import handlers
    from radiogram.server.rpc import HANDLERS

    handlers.load()
    return Model(implemented=[method.TL_NAME for method in HANDLERS])


_COMMON = {"get", "set", "toggle", "update", "edit", "send", "delete", "save", "check", "all", "by"}
"""Words that say nothing about what a method deals with."""


def base_type(field: Field) -> str:
    """Give the type of a field, or of the items if it is a list."""
    tl_type = field.type
    while (item := vector_item(tl_type)) is not None:
        tl_type = item
    return tl_type


def is_described(page: MethodPage) -> bool:
    """Tell whether everything that is said on a method's page was written by hand."""
    said = [page.about, page.result_about, *(one.about for one in page.parameters)]
    said += [one.about for one in page.errors]
    return not any(one.derived for one in said)


def history(name: str) -> tuple[Step, ...]:
    """Tell, newest first, what changed in a definition over the layers that the table has."""
    steps = []
    versions = api_table().versions(name)
    for before, after in pairwise(versions):
        if after.first_layer <= FIRST_LAYER:
            continue
        old, new = set(map(str, before.params)), set(map(str, after.params))
        added = [str(one) for one in after.params if str(one) not in old and one.type != "#"]
        removed = [str(one) for one in before.params if str(one) not in new and one.type != "#"]
        told = [f"new: {', '.join(added)}"] if added else []
        told += [f"gone: {', '.join(removed)}"] if removed else []
        if before.result != after.result:
            told.append(f"answers {after.result} instead of {before.result}")
        steps.append(Step(after.first_layer, "; ".join(told) or "other order"))
    return tuple(reversed(steps))


def _first_layer(name: str) -> int:
    """Give the first layer with a name; 0 if it is as old as the table."""
    first = min(one.first_layer for one in api_table().versions(name))
    return 0 if first <= FIRST_LAYER else first


def _said(text: str, otherwise: str) -> Sentence:
    return Sentence(text) if text else Sentence(otherwise, derived=True)


def _reverse(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for key, name in pairs:
        found.setdefault(key, {})[name] = None
    return {key: tuple(names) for key, names in found.items()}
