"""One module here is one demo: it exports DEMO."""

from importlib import import_module
from pkgutil import iter_modules

from sandbox.demo import Demo


def load_demos() -> dict[str, Demo]:
    """Find every demo in this folder, by its name."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return {module.DEMO.name: module.DEMO for module in modules}
