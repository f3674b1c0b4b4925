"""A page that shows messages as Discord would: made from the payloads that the bot sent, and from nothing else."""

import html
from collections.abc import Iterable, Mapping
from typing import Any

import discord_rules as rules
from discord_markdown import Span, spans

STYLE = """
:root { --ground:#fbfbfb; --surface:#ffffff; --ink:#2f3035; --muted:#6c6d76; --edge:#dcdce0; --code:#f0f0f3;
        --primary:#5865f2; --button:#e6e6ea; --link:#0068d6 }
.dark { --ground:#1a1a1e; --surface:#242429; --ink:#dfe0e2; --muted:#94959c; --edge:#36363d; --code:#2c2d32;
        --primary:#5865f2; --button:#3e3f45; --link:#7bb0f5 }
* { box-sizing:border-box }
body { margin:0; padding:16px; background:var(--ground); color:var(--ink); font:16px/1.375 "gg sans",Arial,sans-serif }
article { display:grid; grid-template-columns:40px minmax(0,1fr); gap:0 16px; max-width:900px; margin-bottom:20px }
.face { width:40px; height:40px; border-radius:50%; background:#0A559E; color:#fff; display:grid; place-items:center }
header b { font-weight:600 }
header i { font:500 10px/15px Arial; background:var(--primary); color:#fff; padding:1px 4px;
           border-radius:4px; margin-left:4px }
header time, .only { color:var(--muted); font-size:12px; margin-left:6px }
.container { border:1px solid var(--edge); border-left:4px solid #0A559E; border-radius:8px; background:var(--surface);
             padding:16px; display:grid; gap:8px; max-width:600px; margin-top:4px }
.container > * { min-width:0 }
.section { display:flex; gap:12px; justify-content:space-between } .section > div { min-width:0; display:grid; gap:4px }
p { margin:0; white-space:pre-wrap; overflow-wrap:anywhere } h3 { margin:0; font-size:20px; line-height:26px }
.sub { font-size:13px; color:var(--muted) } hr { border:0; border-top:1px solid var(--edge); width:100%; margin:4px 0 }
code { background:var(--code); border-radius:4px; padding:1px 3px;
       font:14px/18px ui-monospace,"DejaVu Sans Mono",monospace }
pre { margin:2px 0; background:var(--code); border:1px solid var(--edge); border-radius:4px; padding:8px; overflow:auto;
      font:14px/18px ui-monospace,"DejaVu Sans Mono",monospace }
a { color:var(--link); text-decoration:none } .row { display:flex; flex-wrap:wrap; gap:8px }
button { align-self:start; border:0; border-radius:8px; padding:6px 16px; min-height:32px; font:500 14px/18px Arial;
         background:var(--button); color:var(--ink); flex:none }
button.primary { background:var(--primary); color:#fff }
img { max-width:100%; border-radius:8px; display:block }
.file { border:1px solid var(--edge); border-radius:8px; padding:12px }
@media (max-width:480px) { body { padding:12px 8px } article { gap:0 10px } .container { padding:12px } }
"""

CLASSES = {rules.CONTAINER: "container", rules.ROW: "row"}


def page(messages: Iterable[Mapping[str, Any]], pictures: Mapping[str, str], theme: str) -> str:
    """The whole page; `pictures` are the addresses of attached pictures by name."""
    shown = "".join(_message(message, pictures) for message in messages)
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><body class="{theme}">{shown}</body>'


def _message(message: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    person = message["author"]
    ours = person.get("bot")
    name = html.escape(person.get("global_name") or person["username"])
    said = f"<p>{_text(message['content'])}</p>" if message["content"] else ""
    parts = "".join(_component(part, pictures) for part in message["components"])
    only = '<div class="only">Only you can see this</div>' if message["flags"] & rules.EPHEMERAL else ""
    tag = "<i>APP</i>" if ours else ""
    head = f"<header><b>{name}</b>{tag}<time>Today at 12:00</time></header>"
    return f'<article><div class="face">{name[0]}</div><div>{head}{said}{parts}{only}</div></article>'


def _component(part: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    def inside(parts: Iterable[Any]) -> str:
        return "".join(_component(one, pictures) for one in parts)

    match part["type"]:
        case rules.SECTION:
            return f'<div class="section"><div>{inside(part["components"])}</div>{inside([part["accessory"]])}</div>'
        case rules.CONTAINER | rules.ROW as kind:
            return f'<div class="{CLASSES[kind]}">{inside(part["components"])}</div>'
    return _leaf(part, pictures)


def _leaf(part: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    match part["type"]:
        case rules.TEXT:
            return f"<div>{_lines(part['content'])}</div>"
        case rules.BUTTON:
            kind = "primary" if part["style"] == 1 else ""
            return f'<button class="{kind}">{html.escape(part["label"])}</button>'
        case rules.GALLERY:
            return "".join(_picture(item, pictures) for item in part["items"])
        case rules.SEPARATOR:
            return "<hr>"
    return f'<div class="file">{html.escape(part["name"])}</div>'


def _picture(item: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    name = item["media"]["url"].rpartition("/")[2]
    return f'<img src="{pictures[name]}" alt="{html.escape(item["description"])}">'


def _lines(text: str) -> str:
    """Lines with a meaning of their own: a heading, small print, a block of code."""
    found, rest = [], text
    while rest:
        before, fence, after = rest.partition("```")
        found += [_line(line) for line in before.strip("\n").split("\n") if before.strip("\n")]
        inside, _, rest = after.partition("```")
        found += [f"<pre>{html.escape(inside.partition(chr(10))[2].rstrip())}</pre>"] if fence else []
    return "".join(found)


def _line(line: str) -> str:
    for mark, tag, kind in (("### ", "h3", ""), ("-# ", "p", "sub")):
        if line.startswith(mark):
            return f'<{tag} class="{kind}">{_text(line.removeprefix(mark))}</{tag}>'
    return f"<p>{_text(line) or '&nbsp;'}</p>"


def _text(text: str) -> str:
    return "".join(map(_span, spans(text)))


def _span(span: Span) -> str:
    words, kinds = html.escape(span.text), span.kind.split()
    if "code" in kinds:
        words = f"<code>{words}</code>"
    if "link" in kinds:
        words = f'<a href="{html.escape(span.target)}">{words}</a>'
    if "bold" in kinds:
        words = f"<b>{words}</b>"
    return f"<em>{words}</em>" if "italic" in kinds else words
