"""One module is one format: `SUFFIXES`, and `load(path)` yielding its documents.

A new format is one new file here; it is found by being in this folder.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from knowledge.documents import Document

Load = Callable[[Path], Iterator[Document]]


@cache
def formats() -> Mapping[str, Load]:
    """Return the loader of each file suffix."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return {suffix: module.load for module in modules for suffix in module.SUFFIXES}
