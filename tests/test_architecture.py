"""The directions of imports hold: who may know whom."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("bot", "knowledge", "sandbox")
MODULES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
)
VALUES = ("bot.messages", "bot.parts", "knowledge.documents", "sandbox.events", "sandbox.engines", "sandbox.errors")
ONLY_IMPORTER = {
    "chromadb": "knowledge.store",
    "docker": "sandbox.containers",
    "kubernetes": "sandbox.cluster",
    "markdown_it": "bot.markdown",
    "openai": "knowledge",
    "discord": "bot.platforms.discord",
    "slack_bolt": "bot.platforms.slack",
    "slack_sdk": "bot.platforms.slack",
}


def source(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports(module: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source(module).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def room(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_knowledge_and_sandbox_import_neither_the_bot_nor_each_other(module: str) -> None:
    allowed = {room(module), "bot" if room(module) == "bot" else ""}
    known = {room(name) for name in imports(module)} & set(ROOMS)

    assert room(module) == "bot" or known <= allowed


@pytest.mark.parametrize("module", MODULES)
def test_only_main_and_the_command_line_import_a_platform_or_the_composition_root(module: str) -> None:
    outer = {name for name in imports(module) if name.startswith(("bot.platforms", "bot.app"))}
    inside = module.startswith(("bot.platforms", "bot.cli")) or module == "bot.__main__"

    assert inside or not outer


@pytest.mark.parametrize("module", VALUES)
def test_values_import_the_standard_library_and_values_only(module: str) -> None:
    foreign = {name for name in imports(module) if room(name) not in sys.stdlib_module_names}

    assert {name for name in foreign if not name.startswith(VALUES)} == set()


@pytest.mark.parametrize("module", MODULES)
def test_a_foreign_library_has_one_importer(module: str) -> None:
    for library, importer in ONLY_IMPORTER.items():
        uses = any(room(name) == library for name in imports(module))

        assert not uses or module.startswith(importer)


def test_only_clients_and_what_tells_an_app_send_anything_to_it() -> None:
    values = {f"sandbox.http.{name}" for name in ("ACCEPTED", "Answer", "GOOD")}
    senders = {
        module
        for module in MODULES
        if "sandbox.http" in (names := imports(module)) and not any(name in values for name in names)
    }
    mixed = {module for module in MODULES if "sandbox.http.request" in imports(module)}

    assert senders | mixed == {"sandbox.clients", "sandbox.containers"}


def test_every_constant_is_used() -> None:
    nodes = [node for module in MODULES for node in ast.walk(ast.parse(source(module).read_text()))]
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}

    assert {name for name in stored - used if name.isupper()} == set()


@pytest.mark.parametrize("chat", ["discord", "slack"])
def test_a_chat_exports_what_the_command_line_calls(chat: str) -> None:
    platform = __import__(f"bot.platforms.{chat}", fromlist=["serve"])

    assert {"check", "serve"} <= set(platform.__all__)


@pytest.mark.parametrize("path", sorted((ROOT / "sandbox/demos").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_a_demo_module_exports_a_demo_of_its_name(path: Path) -> None:
    module = __import__(f"sandbox.demos.{path.stem}", fromlist=["DEMO"])

    assert module.DEMO.name == path.stem
