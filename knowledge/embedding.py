"""Texts in, unit vectors out: the small model that ships with the tutor, behind a protocol that others can meet."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from knowledge.errors import ModelDamaged

Vectors = npt.NDArray[np.float32]

MODEL = Path(__file__).parent / "model"
_TOKENS = 192
_BATCH = 16
_THREADS = 2


class Embedder(Protocol):
    """Anything that turns texts into unit vectors.

    `name` is recorded in the index that it made.
    """

    name: str

    @property
    def plain_words(self) -> frozenset[str]:
        """Ordinary words of the language, as far as the embedder knows them."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of length one for each text."""
        ...


class MiniLM:
    """all-MiniLM-L6-v2 as int8 ONNX; its files are checked before they are loaded."""

    name = "all-MiniLM-L6-v2-int8"

    def __init__(self, folder: Path = MODEL) -> None:
        # Both take a noticeable part of a second to import, and commands such as `--help` need neither.
        import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415 - ships no types
        from tokenizers import Tokenizer  # noqa: PLC0415

        _check(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_TOKENS)
        self._tokenizer.no_padding()
        self.plain_words = frozenset(word for word in self._tokenizer.get_vocab() if word.isalpha())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _THREADS
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of length one for each text."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(tokens), 384), dtype=np.float32)
        for rows in _batches([len(ids) for ids in tokens]):
            vectors[rows] = self._run([tokens[row] for row in rows])
        return vectors

    def _run(self, batch: list[list[int]]) -> Vectors:
        ids = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        vectors: Vectors = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors


class Remembered:
    """The same model with vectors that it made before: it is loaded only for texts that are new."""

    name = MiniLM.name

    def __init__(self, path: Path = MODEL / "curriculum.npz") -> None:
        self._model: MiniLM | None = None
        with np.load(path) as kept:
            self._rows = {bytes(key): row for row, key in enumerate(kept["keys"])}
            self._vectors = kept["vectors"].astype(np.float32)

    @property
    def plain_words(self) -> frozenset[str]:
        """Return the ordinary words that the model knows."""
        return self._loaded().plain_words

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one row of length one for each text."""
        new = [text for text in texts if not self.knows(text)]
        made = dict(zip(new, self._loaded().embed(new), strict=True)) if new else {}
        return np.array([made[text] if text in made else self._vectors[self._rows[key(text)]] for text in texts])

    def knows(self, text: str) -> bool:
        """Whether the vector of a text was made before."""
        return key(text) in self._rows

    def _loaded(self) -> MiniLM:
        self._model = self._model or MiniLM()
        return self._model


def key(text: str) -> bytes:
    """Return what a text is remembered under."""
    return hashlib.sha256(text.encode()).digest()[:12]


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Yield rows of like length together, because a batch costs as much as its longest row."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), _BATCH):
        yield order[start : start + _BATCH]


def _check(folder: Path) -> None:
    """Raise if a file of the model is missing or is not the one that was committed."""
    try:
        sums = [line.split() for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
        damaged = [name for sha, name in sums if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha]
    except OSError as error:
        raise ModelDamaged(
            f"A file of the embedding model is missing ({error.filename}). Install Portside again."
        ) from error
    if damaged:
        raise ModelDamaged(f"{damaged[0]} of the embedding model is damaged. Install Portside again.")
