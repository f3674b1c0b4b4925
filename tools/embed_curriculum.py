# ruff: noqa: INP001 - a script beside the packages, not one of them
"""Embed the curriculum ahead, so that a first start does not wait for the model: `python tools/embed_curriculum.py`.

Run it after pages have changed; texts that are missing from the file are embedded at the first start.
"""

from collections.abc import Sequence

import numpy as np

from knowledge.embedding import MODEL, MiniLM, Vectors, key
from knowledge.ingest import CORPUS, find_files, read_pages, vectors_of
from knowledge.store import Page


class Recorder(MiniLM):
    """The model, keeping all that it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[bytes, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of length one for each text, and keep it."""
        vectors = super().embed(texts)
        self.kept.update(zip(map(key, texts), vectors, strict=True))
        return vectors


def main() -> None:
    """Write the vectors of all pages of the curriculum beside the model."""
    recorder = Recorder()
    for file in find_files([CORPUS]):
        for page in read_pages(file):
            if isinstance(page, Page):
                vectors_of([page], recorder)
    keys = np.array([list(kept) for kept in recorder.kept], dtype=np.uint8)
    vectors = np.array(list(recorder.kept.values()), dtype=np.float16)
    np.savez_compressed(MODEL / "curriculum.npz", keys=keys, vectors=vectors)


if __name__ == "__main__":
    main()
