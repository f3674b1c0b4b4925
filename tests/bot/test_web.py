"""The page's server: a real one on a loopback port, asked by a real client; only the tutor behind it is a fake."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx
import pytest
from web_fakes import ANSWER, BUILDING, FakeTutor, finished, served

from bot.errors import CannotListen
from bot.platforms.web import listen, serve
from bot.platforms.web.wire import to_json
from bot.settings import read_settings

Event = tuple[str, Any]


@asynccontextmanager
async def visitor(tutor: FakeTutor, patience: float = 15.0) -> AsyncIterator[httpx.AsyncClient]:
    async with served(tutor, patience) as address, httpx.AsyncClient(base_url=address, timeout=10) as client:
        yield client


async def ask(client: httpx.AsyncClient, text: str) -> str:
    answer = await client.post("/messages", json={"text": text})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def events(client: httpx.AsyncClient, path: str) -> AsyncGenerator[Event, None]:
    async with client.stream("GET", path) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        name = ""
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


async def whole(client: httpx.AsyncClient, path: str) -> list[Event]:
    return [event async for event in events(client, path)]


async def reply(client: httpx.AsyncClient, turn: str) -> list[Event]:
    return await whole(client, f"/turns/{turn}/events")


async def soon(event: asyncio.Event) -> bool:
    async with asyncio.timeout(5):
        return await event.wait()


async def test_a_message_is_answered_part_by_part_and_ends_with_done() -> None:
    async with visitor(FakeTutor()) as client:
        *parts, last = await reply(client, await ask(client, "Does it restart?"))

    drawn = json.loads(json.dumps([to_json(part) for part in ANSWER]))
    assert parts == [("part", {"place": place, **part}) for place, part in enumerate(drawn)]
    assert last == ("done", {})


async def test_a_lost_connection_gets_the_full_reply_again() -> None:
    async with visitor(FakeTutor()) as client:
        turn = await ask(client, "Does it restart?")
        first, again = await reply(client, turn), await reply(client, turn)

    assert first == again


async def test_a_demo_grows_in_one_place_to_its_final_form() -> None:
    async with visitor(FakeTutor(begin=38, speed=4)) as client:
        *parts, _ = await reply(client, await ask(client, "/demo selfheal"))

    cards = [data for _, data in parts if data.pop("place") == 0]
    assert [card["state"] for card in cards[:-1]] == ["running"] * (len(cards) - 1)
    assert cards[-1] == json.loads(json.dumps(to_json(finished())))
    assert parts[-1][1]["type"] == "choices"


async def test_the_tutor_hears_the_words_and_one_session_for_each_browser() -> None:
    tutor = FakeTutor()
    async with visitor(tutor) as client:
        await ask(client, "  What is a pod?  ")
        await ask(client, "And a node?")
        client.cookies.clear()
        await ask(client, "Who am I?")

    first, second, stranger = tutor.heard
    assert first.text == "What is a pod?"
    assert first.conversation == second.conversation != stranger.conversation


async def test_stop_cleans_up_and_ends_the_stream() -> None:
    tutor = FakeTutor()
    async with visitor(tutor) as client:
        turn = await ask(client, "/demo selfheal")
        await soon(tutor.running)
        stopped = await client.post(f"/turns/{turn}/stop", json={})
        seen = await reply(client, turn)

        assert stopped.status_code == 202
        assert tutor.cleaned_up.is_set()
    assert seen[-1] == ("done", {})
    assert seen[0][1]["state"] == "stopped"


async def test_a_demo_that_no_page_ever_watched_is_stopped() -> None:
    tutor = FakeTutor()
    async with visitor(tutor, patience=0.1) as client:
        await ask(client, "/demo selfheal")

        assert await soon(tutor.cleaned_up)


async def test_a_demo_whose_page_went_away_is_stopped() -> None:
    tutor = FakeTutor()
    async with visitor(tutor, patience=1) as client:
        async with aclosing(events(client, f"/turns/{await ask(client, '/demo selfheal')}/events")) as watching:
            await anext(watching)
            watched = tutor.cleaned_up.is_set()

        assert await soon(tutor.cleaned_up)
    assert not watched


async def test_a_page_that_comes_back_in_time_finds_the_demo_going_on() -> None:
    tutor = FakeTutor(begin=38, speed=2)
    async with visitor(tutor, patience=3) as client:
        turn = await ask(client, "/demo selfheal")
        async with aclosing(events(client, f"/turns/{turn}/events")) as watching:
            await anext(watching)
        *parts, _ = await reply(client, turn)

    assert parts[-2][1]["state"] == "done"


async def test_a_second_page_keeps_a_demo_going_when_the_first_is_closed() -> None:
    tutor = FakeTutor(begin=36, speed=2)
    async with visitor(tutor, patience=1) as client:
        turn = await ask(client, "/demo selfheal")
        staying = asyncio.create_task(reply(client, turn))
        await soon(tutor.running)
        async with aclosing(events(client, f"/turns/{turn}/events")) as watching:
            await anext(watching)
        *parts, _ = await staying

    assert parts[-2][1]["state"] == "done"


async def test_another_browser_can_neither_watch_nor_stop_a_turn() -> None:
    tutor = FakeTutor()
    async with visitor(tutor) as client:
        turn = await ask(client, "/demo selfheal")
        client.cookies.clear()
        watched = await client.get(f"/turns/{turn}/events")
        stopped = await client.post(f"/turns/{turn}/stop", json={})

        assert not tutor.cleaned_up.is_set()
    assert (watched.status_code, stopped.status_code) == (404, 404)
    assert watched.json() == {"error": "This reply is no longer there. Ask again."}


EMPTY = "That message is empty. Ask a question, or type /help."
FORM = 'Send JSON in UTF-8: {"text": "your question"}.'
UNREADABLE = f"That message is not text. {FORM}"


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b'{"text": ""}', 400, EMPTY),
        (b'{"text": " \\n "}', 400, EMPTY),
        (b"", 400, UNREADABLE),
        (b"\x00\xff\xfe\x80", 400, UNREADABLE),
        (b"[1]", 400, UNREADABLE),
        (b'{"text": 7}', 400, UNREADABLE),
        (b'{"text": "\\ud800"}', 400, UNREADABLE),
        (b'{"text": "a\\u0000b"}', 400, "That message is not text. Ask in words, or paste the output as text."),
        (b'{"text": "' + b"a" * 100_000 + b'"}', 413, "That message is longer than 64 kB. Ask in a few sentences."),
    ],
    ids=["empty", "blank", "nothing", "binary", "list", "number", "surrogate", "control", "100 kB"],
)
async def test_a_bad_message_is_refused_in_one_sentence(body: bytes, status: int, sentence: str) -> None:
    tutor = FakeTutor()
    async with visitor(tutor) as client:
        answer = await client.post("/messages", content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()) == (status, {"error": sentence})
    assert tutor.heard == []


async def test_a_form_of_another_site_cannot_pass_for_a_message() -> None:
    async with visitor(FakeTutor()) as client:
        answer = await client.post("/messages", data={"text": "hello"})

    assert (answer.status_code, answer.json()) == (415, {"error": FORM})


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://example.org"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"host": "rebound.example.org"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
async def test_a_foreign_page_is_refused(headers: dict[str, str]) -> None:
    tutor = FakeTutor()
    async with visitor(tutor) as client:
        answer = await client.post("/messages", json={"text": "hello"}, headers=headers)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert tutor.heard == []


async def test_the_page_brings_a_session_and_lets_nothing_in_from_elsewhere() -> None:
    async with visitor(FakeTutor()) as client:
        answer = await client.get("/", headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "samesite=strict" in answer.headers["set-cookie"].lower()


async def test_the_engines_are_told_with_what_is_being_built() -> None:
    tutor = FakeTutor()
    tutor.engines.states = BUILDING
    async with visitor(tutor) as client, aclosing(events(client, "/engines/events")) as states:
        name, told = await anext(states)

    assert name == "engines"
    assert [engine["state"] for engine in told["engines"]] == ["ready", "building"]
    assert [step["state"] for step in told["progress"]["steps"]][-3:] == ["now", "next", "next"]


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as refused:
            listen("127.0.0.1", port)

    assert str(refused.value) == (
        f"The page cannot be served on 127.0.0.1:{port}: Address already in use. "
        "Stop what uses that address, or choose another one with PORTSIDE_WEB_PORT and PORTSIDE_WEB_HOST."
    )


async def test_the_page_says_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(serve(FakeTutor(), read_settings(), listener))
        async with httpx.AsyncClient() as client:
            answer = await client.get(address)
        serving.cancel()
        await asyncio.wait([serving])

    assert answer.status_code == 200
    assert capsys.readouterr().out == f"Portside is on {address}\n"


async def test_the_end_stops_demos_and_open_streams_within_seconds() -> None:
    tutor = FakeTutor()
    async with asyncio.timeout(15), httpx.AsyncClient(timeout=10) as client:
        async with served(tutor) as address:
            client.base_url = httpx.URL(address)
            turn = await ask(client, "/demo selfheal")
            watching, engines = events(client, f"/turns/{turn}/events"), events(client, "/engines/events")
            # A connection that is only being accepted when the listener closes gets no answer: both must be open.
            begun = [await anext(watching), await anext(engines)]
        seen, states = [event async for event in watching], [event async for event in engines]

    assert [name for name, _ in begun] == ["part", "engines"]
    assert tutor.cleaned_up.is_set()
    assert seen[-1] == ("done", {})
    assert [name for name, _ in states] == ["engines"]
