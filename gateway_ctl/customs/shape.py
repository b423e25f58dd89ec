"""Messages as dataclasses: which element each field is, under which names it is accepted, and what is left over. Pure.

A field names its paths, the one to be written first; `@NAME` is an attribute. Reading goes by name and not by order: a
value may stand under any of its names, nested or flat, as an attribute or as an element. The same thing said twice in
two ways is not a message: nobody knows which is meant. What no field names is kept in `others` and given back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import Field, dataclass, field, fields, replace
from functools import cache
from typing import Any, TypeVar

from gateway_ctl.customs.xml_text import Element, Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What every group of elements keeps beside its fields."""

    others: tuple[Element, ...] = field(default=(), repr=False)
    """Elements without a field, with all that is in them."""
    marks: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Attributes without a field."""

    @property
    def empty(self) -> bool:
        """Nothing is said in it."""
        return self == type(self)()


S = TypeVar("S", bound=Shape)


@dataclass(frozen=True, slots=True)
class _Leaf:
    paths: tuple[str, ...]
    always: bool


@dataclass(frozen=True, slots=True)
class _Group:
    kind: type[Shape]
    names: tuple[str, ...]
    always: bool
    several: bool


def leaf(*paths: str, always: bool = True, secret: bool = False) -> Any:
    """A value, "" when it is not there. `always`: its tag is written even when empty. `secret`: never shown."""
    return field(default="", repr=not secret, metadata={"part": _Leaf(paths, always), "secret": secret})


def group(kind: type[Shape], *names: str, always: bool = False) -> Any:
    """A group of its own; when its tag is not there, its values are looked for beside it."""
    return field(default_factory=kind, metadata={"part": _Group(kind, names, always, several=False)})


def several(kind: type[Shape], *names: str) -> Any:
    """A group that repeats."""
    return field(default=(), metadata={"part": _Group(kind, names, always=False, several=True)})


@cache
def _parts(kind: type[Shape]) -> tuple[tuple[str, _Leaf | _Group], ...]:
    return tuple((each.name, each.metadata["part"]) for each in fields(kind) if "part" in each.metadata)


@cache
def _leaf_names(kind: type[Shape]) -> frozenset[str]:
    paths = (path for _, part in _parts(kind) if isinstance(part, _Leaf) for path in part.paths)
    return frozenset(path for path in paths if "/" not in path and not path.startswith("@"))


@cache
def _claimed(kind: type[Shape]) -> frozenset[str]:
    groups = (name for _, part in _parts(kind) if isinstance(part, _Group) for name in part.names)
    return _leaf_names(kind) | frozenset(groups)


@cache
def secret_names(kind: type[Shape]) -> frozenset[str]:
    """Names of elements whose values are never shown, in this message and its groups."""
    found: set[str] = set()
    told: Iterable[Field[Any]] = fields(kind)
    for each in told:
        part = each.metadata.get("part")
        if isinstance(part, _Leaf) and each.metadata["secret"]:
            found |= {path.rsplit("/", 1)[-1].lstrip("@") for path in part.paths}
        elif isinstance(part, _Group):
            found |= secret_names(part.kind)
    return frozenset(found)


def read(kind: type[S], element: Element) -> S:
    """What an element says. Raises Unreadable: a value or a group of values is there twice, and not the same."""
    used: set[int] = set()
    marked: set[str] = set()
    values: dict[str, Any] = {}
    for name, part in _parts(kind):
        if isinstance(part, _Leaf):
            values[name] = _value(element, part, used, marked)
        elif part.several:
            found = [child for child in element.children if child.name in part.names]
            used |= {id(child) for child in found}
            values[name] = tuple(read(part.kind, child) for child in found)
        else:
            values[name] = _group(kind, element, part, used)
    others = tuple(_left(element.children, used))
    return kind(**values, others=others, marks=tuple(pair for pair in element.attributes if pair[0] not in marked))


def _value(element: Element, part: _Leaf, used: set[int], marked: set[str]) -> str:
    said: dict[str, None] = {}
    for path in part.paths:
        if path.startswith("@"):
            value = element.attribute(path[1:])
            if value is not None:
                marked.add(path[1:])
                said[value.strip()] = None
            continue
        for found in _at(element, path):
            if not found.children and not found.attributes:
                used.add(id(found))
                said[found.text.strip()] = None
    said.pop("", None)
    if len(said) > 1:
        raise Unreadable(f"{part.paths[0].lstrip('@')} is said {len(said)} times, each time otherwise")
    return next(iter(said), "")


def _at(element: Element, path: str) -> list[Element]:
    found = [element]
    for name in path.split("/"):
        found = [child for each in found for child in each.children if child.name == name]
    return found


def _group(kind: type[Shape], element: Element, part: _Group, used: set[int]) -> Shape:
    found = [child for child in element.children if child.name in part.names and id(child) not in used]
    if len(found) > 1:
        raise Unreadable(f"{part.names[0]} is there {len(found)} times")
    if found:
        if not found[0].children and found[0].text.strip():
            return part.kind()
        used.add(id(found[0]))
        return read(part.kind, found[0])
    wanted = _leaf_names(part.kind) - _claimed(kind)
    flat = tuple(child for child in element.children if child.name in wanted and id(child) not in used)
    used |= {id(child) for child in flat}
    return read(part.kind, Element(part.names[0], children=flat))


def _left(children: tuple[Element, ...], used: set[int]) -> Iterator[Element]:
    for child in children:
        if id(child) in used:
            continue
        rest = tuple(_left(child.children, used))
        if rest == child.children:
            yield child
        elif rest:
            yield replace(child, children=rest)


def element_of(shape: Shape, name: str) -> Element:
    """The element that says this, its fields in their order, what was left over behind them."""
    attributes: list[tuple[str, str]] = []
    children: list[Element] = []
    for field_name, part in _parts(type(shape)):
        value = getattr(shape, field_name)
        if isinstance(part, _Leaf):
            if value or part.always:
                path = part.paths[0]
                if path.startswith("@"):
                    attributes.append((path[1:], value))
                else:
                    children.append(Element(path, value))
        elif part.several:
            children += [element_of(each, part.names[0]) for each in value]
        elif not value.empty or (part.always and not any(other.name in part.names for other in shape.others)):
            children.append(element_of(value, part.names[0]))
    return Element(name, "", (*attributes, *shape.marks), (*children, *shape.others))
