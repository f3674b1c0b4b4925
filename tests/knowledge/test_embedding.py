import shutil
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedding import MODEL, MiniLM
from knowledge.errors import ModelDamaged


def test_like_sentences_lie_nearer_than_unlike_ones_and_all_have_length_one(model: MiniLM) -> None:
    vectors = model.embed(["How do I restart a pod?", "restarting pods", "a recipe for pizza", ""])

    assert vectors.shape == (4, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    assert vectors[0] @ vectors[1] > 0.6
    assert vectors[0] @ vectors[2] < 0.3


def test_a_text_has_the_same_vector_alone_and_among_longer_ones(model: MiniLM) -> None:
    texts = ["a pod", "word " * 300, "what happens when a node dies?"]

    together, alone = model.embed(texts), np.vstack([model.embed([text]) for text in texts])

    assert np.min(np.sum(together * alone, axis=1)) > 0.98


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_model_is_not_loaded(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MODEL, folder)
    (folder / "tokenizer.json").unlink()
    if damage == "changed":
        (folder / "tokenizer.json").write_text("{}")

    with pytest.raises(ModelDamaged, match="Install Portside again"):
        MiniLM(folder)
