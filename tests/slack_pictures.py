"""What people see of a message in Slack: its payload as a page in Slack's manner, and a picture of that."""

import base64
import html
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from browsing import settle
from playwright.async_api import Browser
from slack_workspace import Post, Workspace

Block = Mapping[str, Any]
SIZES = (1280, 360)
THEMES = ("light", "dark")
TASKS = {"complete": "✓", "in_progress": "◔", "pending": "○", "error": "×"}

STYLE = (Path(__file__).parent / "slack_pictures.css").read_text()


def page(post: Post, workspace: Workspace, theme: str) -> str:
    """The message as a page of its own."""
    said = f'<div class="block">{_markdown(post.streamed)}</div>' if post.streamed else ""
    blocks = "".join(f'<div class="block">{_block(block, workspace)}</div>' for block in post.blocks)
    who = '<div class="who">Portside <i>APP</i><time>10:24 AM</time></div>'
    body = f'<div class="message"><div class="avatar">P</div><div>{who}{said}{blocks}</div></div>'
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
    return f'<!doctype html><html data-theme="{theme}"><head>{head}</head><body>{body}</body></html>'


def _block(block: Block, workspace: Workspace) -> str:
    if block["type"] == "image":
        return _image(block, workspace)
    return DRAWN[block["type"]](block)


def _image(block: Block, workspace: Workspace) -> str:
    data = base64.b64encode(workspace.files[block["slack_file"]["id"]]["data"]).decode()
    return f'<img alt="{html.escape(block["alt_text"])}" src="data:image/png;base64,{data}">'


def _header(block: Block) -> str:
    return f"<h3>{html.escape(block['text']['text'])}</h3>"


def _section(block: Block) -> str:
    if "accessory" in block:
        return _group("beside", [f"<div>{_mrkdwn(block['text']['text'])}</div>", _button(block["accessory"])])
    if "text" in block:
        return _mrkdwn(block["text"]["text"])
    return _group("fields", [f"<div>{_mrkdwn(one['text'])}</div>" for one in block["fields"]])


def _context(block: Block) -> str:
    return _group("context", [f"<span>{_mrkdwn(one['text'])}</span>" for one in block["elements"]])


def _rich_text(block: Block) -> str:
    return f"<pre>{html.escape(block['elements'][0]['elements'][0]['text'])}</pre>"


def _plan(block: Block) -> str:
    tasks = [f"<div>{TASKS[one['status']]} {html.escape(one['title'])}</div>" for one in block["tasks"]]
    return _group("plan", [f"<b>{html.escape(block['title'])}</b>", *tasks])


def _feedback(_: Block) -> str:
    return _group("feedback", ["<span>↑ Helpful</span>", "<span>↓ Not helpful</span>"])


def _actions(block: Block) -> str:
    return _group("actions", map(_button, block["elements"]))


def _group(name: str, parts: Iterable[str]) -> str:
    return f'<div class="{name}">{"".join(parts)}</div>'


def _button(element: Block) -> str:
    return f'<span class="{element.get("style", "")}">{html.escape(element["text"]["text"])}</span>'


def _table(block: Block) -> str:
    sides = [setting.get("align", "left") for setting in block["column_settings"]]
    rows = [
        "".join(f'<td class="{side}">{html.escape(cell["text"])}</td>' for side, cell in zip(sides, row, strict=True))
        for row in block["rows"]
    ]
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


DRAWN = {
    "header": _header,
    "section": _section,
    "context": _context,
    "rich_text": _rich_text,
    "table": _table,
    "plan": _plan,
    "context_actions": _feedback,
    "actions": _actions,
}


def _mrkdwn(text: str) -> str:
    """Slack's own dialect: it is escaped already."""
    text = re.sub(r"<([^|>]+)\|([^>]+)>", r'<a href="\1">\2</a>', text)
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    text = re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"<b>\1</b>", text)
    return re.sub(r"(?<![\w_])_([^_\n]+)_(?![\w_])", r"<em>\1</em>", text).replace("\n", "<br>")


def _markdown(text: str) -> str:
    text = re.sub(r"`([^`\n]+)`", lambda code: f"<code>{html.escape(code[1], quote=False)}</code>", text)
    text = re.sub(r"\*\*([^*\n]+)\*\*", r"<b>\1</b>", text)
    return re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"<em>\1</em>", text).replace("\n", "<br>")


async def photograph(browser: Browser, post: Post, workspace: Workspace, name: str, folder: Path | None) -> None:
    """Look at a message, wide and narrow, light and dark: nothing of it stands beside the page."""
    for width, theme in ((width, theme) for width in SIZES for theme in THEMES):
        sheet = await browser.new_page(viewport={"width": width, "height": 200})
        await sheet.set_content(page(post, workspace, theme))
        beside = await sheet.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beside == 0, f"{name} at {width}: {beside} px stand beside the page"
        if folder:
            await settle(sheet)
            await sheet.screenshot(path=folder / f"slack-{name}-{width}-{theme}.png")
        await sheet.close()
