import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge import Answer, Answerer, Delta, Ingested, IngestEvent, Library, Turn, ingest, open_library
from knowledge.embedding import MiniLM, Vectors
from knowledge.keywords import stems

PAGES = {
    "docker/restart-policies.md": """---
title: Restart policies
demo: selfheal
questions:
  - Does Docker restart a crashed container?
---
# Restart policies

A restart policy tells Docker to start a container again when its process ends.
The policy `always` also starts it when the engine starts. See [the <b>manual</b>](https://evil.example/x).

## The four policies

Docker has four restart policies:

- no: never start it again (the default)
- on-failure: start it again after an error
- always: start it again whenever it ends
- unless-stopped: like always, but not after a stop by hand

## What a policy does not do

Docker never starts the container on another host.
""",
    "kubernetes/self-healing.md": """# Self-healing

The kubelet restarts a crashed container in the same pod.

## When a node dies

When a node dies, the ReplicaSet creates new pods on other nodes after about six minutes.

## How to scale by hand

The command `kubectl scale` sets the number of replicas:

```
$ kubectl scale deployment web --replicas=5
deployment.apps/web scaled
```
""",
    "kubernetes/storage.md": """# Storage

A PersistentVolumeClaim asks for storage of a size, and Kubernetes attaches a volume where the pod runs.
A volume on the disk of one node ties the pod to that node.
""",
    "docker/volumes.md": """# Volumes

A Docker volume is local to its machine: the data does not follow a container to another host.
""",
}


class WordHashes:
    """A small embedder: every stem has a direction of its own."""

    name = "word-hashes"
    plain_words = frozenset({"capital", "france", "price"})

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded.extend(texts)
        rows = np.full((len(texts), 64), 1e-6, dtype=np.float32)
        for row, text in enumerate(texts):
            for stem in stems(text):
                rows[row, hashlib.sha256(stem.encode()).digest()[0] % 64] += 1
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def write_pages(folder: Path, pages: dict[str, str]) -> Path:
    for source, text in pages.items():
        path = folder / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def last(events: Iterator[IngestEvent]) -> Ingested:
    end = list(events)[-1]
    assert isinstance(end, Ingested)
    return end


async def ask(answerer: Answerer, question: str, history: Sequence[Turn] = ()) -> tuple[list[Delta], Answer]:
    values = [value async for value in answerer.answer(question, history)]
    answers = [value for value in values if isinstance(value, Answer)]
    assert values[-1:] == answers
    return [value for value in values if isinstance(value, Delta)], answers[0]


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    return write_pages(tmp_path / "pages", PAGES)


@pytest.fixture
def embedder() -> WordHashes:
    return WordHashes()


@pytest.fixture(scope="session")
def model() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, model: MiniLM) -> Iterator[Library]:
    """The small collection, made once with the real model; nothing that is asked of it changes it."""
    folder = tmp_path_factory.mktemp("store")
    last(ingest(folder, [write_pages(tmp_path_factory.mktemp("pages"), PAGES)], "small", model))
    with open_library(folder, "small", model) as opened:
        yield opened
