"""What the README says of settings and commands is what the code has."""

import re
from pathlib import Path

from bot.__main__ import main
from bot.settings import Settings

README = (Path(__file__).parent.parent / "README.md").read_text()


def settings_table() -> str:
    rows = ["| variable | what it is | default |", "|---|---|---|"]
    for field in Settings.model_fields.values():
        default = field.default if isinstance(field.default, str | int) else ""
        rows.append(f"| `{field.alias}` | {field.description} | {f'`{default}`' if default else ''} |")
    return "\n".join(rows)


def test_the_settings_table_lists_every_setting_with_its_default() -> None:
    assert f"<!-- settings -->\n{settings_table()}\n<!-- /settings -->" in README


def test_the_commands_table_lists_every_command() -> None:
    assert set(re.findall(r"^\| `portside (\w+)", README, re.MULTILINE)) == set(main.commands)
