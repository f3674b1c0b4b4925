"""A Slack workspace in memory: its channels, people, messages, streams and files, and what Slack would refuse."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import slack_rules
from slack_rules import Refused, need

Args = Mapping[str, Any]
BOT, TEAM, APP = "UBOT00001", "T00000001", "A00000001"


@dataclass
class Channel:
    """A place to talk; `im` is a direct message."""

    id: str
    im: bool = False
    member: bool = True
    archived: bool = False


@dataclass
class Post:
    """A message of the bot with every form that it has had."""

    channel: str
    ts: str
    thread: str | None
    forms: list[dict[str, Any]] = field(default_factory=list)
    streaming: bool = False
    streamed: str = ""
    deleted: bool = False

    @property
    def text(self) -> str:
        """What people read now, the streamed part first."""
        words = " ".join(slack_rules.texts(self.forms[-1].get("blocks", []))) if self.forms else ""
        return f"{self.streamed} {words}".strip()

    @property
    def blocks(self) -> list[dict[str, Any]]:
        return self.forms[-1].get("blocks", []) if self.forms else []


class Workspace:
    """What Slack keeps. `links` may be linked to; `processing` is how often a new picture is not ready yet."""

    def __init__(self) -> None:
        self.channels = {"C00000001": Channel("C00000001"), "D00000001": Channel("D00000001", im=True)}
        self.users = {"U00000001": "Ana", "U00000002": "Ben", BOT: "Portside"}
        self.posts: dict[tuple[str, str], Post] = {}
        self.said: list[dict[str, Any]] = []  # by people
        self.private: list[dict[str, Any]] = []  # ephemeral messages
        self.views: dict[str, dict[str, Any]] = {}
        self.statuses: list[Args] = []
        self.prompts: list[Args] = []
        self.titles: list[Args] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.links: set[str] = set()
        self.processing = 0
        self._numbers = itertools.count(1)

    def ts(self) -> str:
        number = next(self._numbers)
        return f"{1_700_000_000 + number}.{number:06d}"

    @property
    def last(self) -> Post:
        return list(self.posts.values())[-1]

    def call(self, method: str, args: Args) -> dict[str, Any]:
        """Answer one call of the Web API. Raises `Refused`."""
        known: dict[str, Callable[[Args], dict[str, Any] | None]] = {
            "auth.test": lambda _: {
                "user_id": BOT,
                "bot_id": "B00000001",
                "team_id": TEAM,
                "team": "t",
                "user": "portside",
            },
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._whisper,
            "chat.startStream": self._start_stream,
            "chat.appendStream": self._append_stream,
            "chat.stopStream": self._stop_stream,
            "users.info": self._user,
            "conversations.replies": self._replies,
            "assistant.threads.setStatus": self.statuses.append,
            "assistant.threads.setSuggestedPrompts": self._suggest,
            "assistant.threads.setTitle": self.titles.append,
            "views.publish": self._publish,
            "files.getUploadURLExternal": self._upload,
            "files.completeUploadExternal": self._complete,
        }
        need(method in known, method, "unknown_method")
        return known[method](args) or {}

    def _channel(self, args: Args) -> Channel:
        name = args["channel"]
        if name in self.users:  # a person's id opens the direct message with them
            name = "D00000001"
        need(name in self.channels, name, "channel_not_found")
        channel = self.channels[name]
        need(channel.member, name, "not_in_channel")
        need(not channel.archived, name, "is_archived")
        return channel

    def _checked(self, payload: Args) -> dict[str, Any]:
        slack_rules.message(payload, self.links)
        self._pictures(payload)
        return dict(payload)

    def _pictures(self, payload: Args) -> None:
        for block in payload.get("blocks", []):
            if block["type"] == "image":
                file = self.files.get(block["slack_file"]["id"])
                need(file and file["complete"], "no such file")
                if self.processing:
                    self.processing -= 1
                    raise Refused("invalid_blocks", "the file is being processed")

    def _post(self, args: Args) -> dict[str, Any]:
        channel = self._channel(args)
        payload = self._checked(args)
        need(args.get("unfurl_links") is False and args.get("unfurl_media") is False, "previews", "ours")
        need(len(args.get("blocks", [0])) > 0, "blocks")
        post = Post(channel.id, self.ts(), args.get("thread_ts"), [payload])
        self.posts[post.channel, post.ts] = post
        return {"channel": post.channel, "ts": post.ts, "message": {"text": args.get("text"), "ts": post.ts}}

    def _whisper(self, args: Args) -> dict[str, Any]:
        self._channel(args)
        need(args["user"] in self.users, args["user"], "user_not_in_channel")
        self.private.append(self._checked(args))
        return {"message_ts": self.ts()}

    def _found(self, args: Args) -> Post:
        channel = self._channel(args)
        post = self.posts.get((channel.id, args["ts"]))
        if post is None or post.deleted:
            raise Refused("message_not_found", args["ts"])
        return post

    def _update(self, args: Args) -> dict[str, Any]:
        post = self._found(args)
        need(not post.streaming, post.ts, "streaming_state_conflict")
        post.forms.append(self._checked(args))
        post.streamed = ""
        return {"channel": post.channel, "ts": post.ts}

    def _delete(self, args: Args) -> dict[str, Any]:
        self._found(args).deleted = True
        return {}

    def _start_stream(self, args: Args) -> dict[str, Any]:
        channel = self._channel(args)
        need(args.get("thread_ts"), "thread_ts", "missing_thread_ts")
        need(channel.im or args.get("recipient_team_id"), "recipient", "missing_recipient_team_id")
        need(channel.im or args.get("recipient_user_id"), "recipient", "missing_recipient_user_id")
        need("markdown_text" not in args, "markdown_text begins a stream of the other kind", "ours")
        post = Post(channel.id, self.ts(), args["thread_ts"], streaming=True)
        self._take(post, args.get("chunks", []))
        self.posts[post.channel, post.ts] = post
        return {"channel": post.channel, "ts": post.ts}

    def _append_stream(self, args: Args) -> None:
        post = self._streaming(args)
        need(args.get("chunks"), "chunks", "no_text")
        self._take(post, args["chunks"])

    def _stop_stream(self, args: Args) -> dict[str, Any]:
        post = self._streaming(args)
        self._take(post, args.get("chunks", []))
        if blocks := args.get("blocks"):
            slack_rules.blocks(blocks)
            slack_rules.harmless(args, self.links)
            self._pictures(args)
        post.streaming = False
        post.forms.append({"blocks": blocks or []})
        return {"channel": post.channel, "ts": post.ts}

    def _streaming(self, args: Args) -> Post:
        post = self._found(args)
        need("markdown_text" not in args, post.ts, "streaming_mode_mismatch")
        need(post.streaming, post.ts, "message_not_in_streaming_state")
        return post

    def _take(self, post: Post, chunks: list[dict[str, Any]]) -> None:
        for chunk in chunks:
            if chunk["type"] == "task_update":
                slack_rules.task({**chunk, "type": "task_card", "task_id": chunk["id"]})
                continue
            need(chunk["type"] == "markdown_text", chunk["type"], "invalid_chunks")
            need(0 < len(chunk["text"]) <= 12_000, "12,000 characters", "msg_too_long")
            post.streamed += chunk["text"]
        slack_rules.streamed(post.streamed)
        need(len(post.streamed) <= 12_000, "12,000 characters in all", "msg_too_long")

    def _user(self, args: Args) -> dict[str, Any]:
        need(args["user"] in self.users, args["user"], "user_not_found")
        name = self.users[args["user"]]
        return {"user": {"id": args["user"], "name": name.lower(), "profile": {"display_name": name}}}

    def _replies(self, args: Args) -> dict[str, Any]:
        self._channel(args)
        told = [one for one in self.said if args["ts"] in (one["ts"], one.get("thread_ts"))]
        need(told, args["ts"], "thread_not_found")
        return {"messages": told[: int(args.get("limit", 1000))], "has_more": False}

    def _suggest(self, args: Args) -> None:
        need(1 <= len(args["prompts"]) <= 4, "1 to 4 prompts", "invalid_arguments")
        need(all(one["title"] and one["message"] for one in args["prompts"]), "title and message", "invalid_arguments")
        self.prompts.append(args)

    def _publish(self, args: Args) -> None:
        view = args["view"] if isinstance(args["view"], dict) else json.loads(args["view"])
        need(view["type"] == "home", view["type"])
        slack_rules.blocks(view["blocks"], 100)
        slack_rules.harmless(view, self.links)
        need(len(json.dumps(view)) <= 250_000, "250 kB", "view_too_large")
        self.views[args["user_id"]] = view

    def _upload(self, args: Args) -> dict[str, Any]:
        need(args["filename"] and int(args["length"]) > 0, "filename and length", "invalid_arguments")
        need(len(args.get("alt_txt", "")) <= 1000, "alt_txt of at most 1000", "alt_txt_too_large")
        number = f"F{next(self._numbers):08d}"
        self.files[number] = {**args, "data": b"", "complete": False, "shares": []}
        return {"file_id": number, "upload_url": f"upload/{number}"}

    def _complete(self, args: Args) -> dict[str, Any]:
        told = json.loads(args["files"])
        for one in told:
            file = self.files[one["id"]]
            need(len(file["data"]) == int(file["length"]), "the bytes did not arrive", "file_update_failed")
            file["complete"] = True
            if args.get("channel_id"):
                file["shares"].append((self._channel({"channel": args["channel_id"]}).id, args.get("thread_ts")))
        return {"files": [{"id": one["id"], "title": one.get("title")} for one in told]}
