"""What the fields of an event may hold: small tests of JSON values, made from each other. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

Shape = Callable[[Any], bool]


def text(value: Any) -> bool:
    """Any words."""
    return isinstance(value, str)


def flag(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def count(value: Any) -> bool:
    """A whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def seconds(value: Any) -> bool:
    """A finite time or length from 0 on."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value < float("inf")


def anything(value: Any) -> bool:  # noqa: ARG001 - a shape like the others
    """What a demo alone knows."""
    return True


def maybe(shape: Shape) -> Shape:
    """That, or null."""
    return lambda value: value is None or shape(value)


def one_of(*words: object) -> Shape:
    """One of these words."""
    return lambda value: isinstance(value, str) and value in words


def several(shape: Shape) -> Shape:
    """A list of those."""
    return lambda value: isinstance(value, list) and all(map(shape, value))


def table(key: Shape, shape: Shape) -> Shape:
    """An object with such keys, each holding that."""
    return lambda value: isinstance(value, dict) and all(key(name) and shape(one) for name, one in value.items())


def record(needed: Mapping[str, Shape], extra: Mapping[str, Shape] | None = None) -> Shape:
    """An object with exactly those fields; the extra ones may be missing."""
    return lambda value: isinstance(value, dict) and not misfits(value, needed, extra or {})


def misfits(value: Mapping[str, Any], needed: Mapping[str, Shape], extra: Mapping[str, Shape]) -> list[str]:
    """Name the fields that are missing, unknown or hold something else."""
    known = {**extra, **needed}
    missing = [name for name in needed if name not in value]
    return missing + [name for name, held in value.items() if name not in known or not known[name](held)]
