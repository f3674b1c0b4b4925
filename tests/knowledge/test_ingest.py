import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PAGES, WordHashes, last, write_pages

from knowledge import Progress, Skipped, ingest, open_library
from knowledge.errors import NothingToIngest, StoreUnusable, UnknownCollection


def found(folder: Path, words: str, collection: str = "mine") -> list[str]:
    with open_library(folder, collection, WordHashes()) as library:
        return [hit.source for hit in library.search(words)]


def test_every_page_is_found_once_the_ingest_has_ended(tmp_path: Path, pages: Path, embedder: WordHashes) -> None:
    events = list(ingest(tmp_path / "store", [pages], "mine", embedder))

    assert [event.done for event in events if isinstance(event, Progress)] == [0, 4]
    assert found(tmp_path / "store", "restart policies")[0] == "docker/restart-policies.md"
    assert sorted(found(tmp_path / "store", "docker kubernetes")) == sorted(PAGES)


def test_unchanged_pages_are_not_embedded_again(tmp_path: Path, pages: Path, embedder: WordHashes) -> None:
    last(ingest(tmp_path / "store", [pages], "mine", embedder))
    embedder.embedded.clear()

    again = last(ingest(tmp_path / "store", [pages], "mine", embedder))

    assert (again.pages, again.embedded, again.unchanged) == (4, 0, 4)
    assert embedder.embedded == []


def test_changed_pages_are_renewed_and_removed_ones_go(tmp_path: Path, pages: Path, embedder: WordHashes) -> None:
    last(ingest(tmp_path / "store", [pages], "mine", embedder))
    (pages / "docker/volumes.md").write_text("# Zebras\n\nThey graze.\n")
    (pages / "kubernetes/storage.md").unlink()

    again = last(ingest(tmp_path / "store", [pages], "mine", embedder))

    assert (again.embedded, again.unchanged, again.removed) == (1, 2, 1)
    assert found(tmp_path / "store", "zebras graze")[0] == "docker/volumes.md"
    assert "kubernetes/storage.md" not in found(tmp_path / "store", "storage claim volume")


def test_a_second_folder_joins_the_first_one(tmp_path: Path, pages: Path, embedder: WordHashes) -> None:
    other = write_pages(tmp_path / "other", {"zebras.md": "# Zebras\n\nThey graze.\n"})
    last(ingest(tmp_path / "store", [pages], "mine", embedder))
    last(ingest(tmp_path / "store", [other / "zebras.md"], "mine", embedder))

    assert found(tmp_path / "store", "zebras")[0] == "zebras.md"
    assert len(found(tmp_path / "store", "docker kubernetes zebras")) == 5


def test_an_open_library_sees_what_is_ingested_later(tmp_path: Path, pages: Path, embedder: WordHashes) -> None:
    last(ingest(tmp_path / "store", [pages], "mine", embedder))
    with open_library(tmp_path / "store", "mine", embedder) as library:
        (pages / "zebras.md").write_text("# Zebras\n\nThey graze.\n")
        last(ingest(tmp_path / "store", [pages], "mine", embedder))

        assert library.search("zebras")[0].source == "zebras.md"


def test_files_that_cannot_be_taken_in_are_named_with_the_reason(
    tmp_path: Path, pages: Path, embedder: WordHashes
) -> None:
    (pages / "latin.md").write_bytes("caf\u00e9".encode("latin-1"))
    (pages / "empty.md").write_text("---\ntitle: Empty\n---\n\n")
    (pages / "logo.png").write_bytes(b"\x89PNG")
    (pages / ".hidden.md").write_text("# Hidden")
    (pages / "dangling.md").symlink_to(pages / "nowhere")
    os.mkfifo(pages / "pipe.md")

    events = list(ingest(tmp_path / "store", [pages], "mine", embedder))

    assert [event for event in events if isinstance(event, Skipped)] == [
        Skipped("dangling.md", "it cannot be read (No such file or directory)"),
        Skipped("empty.md", "it is empty"),
        Skipped("latin.md", "it is not UTF-8 text"),
        Skipped("logo.png", "it does not end in .markdown or .md"),
        Skipped("pipe.md", "it is no ordinary file"),
    ]
    assert len(found(tmp_path / "store", "docker kubernetes")) == 4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-such-folder", "There is no file or folder"),
        ("only-a-picture", "Name Markdown files"),
        ("nothing", "Name a folder with Markdown pages"),
        ("link-to-itself", "Check the path and its permissions"),
        ("a" * 300, "Check the path and its permissions"),
    ],
)
def test_nothing_to_read_is_an_error_and_changes_nothing(
    tmp_path: Path, name: str, said: str, embedder: WordHashes
) -> None:
    (tmp_path / "only-a-picture").mkdir()
    (tmp_path / "only-a-picture" / "x.png").write_bytes(b"x")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "link-to-itself").symlink_to("link-to-itself")

    with pytest.raises(NothingToIngest, match=said):
        list(ingest(tmp_path / "store", [tmp_path / name], "mine", embedder))

    assert not (tmp_path / "store").exists()


def test_an_unknown_collection_is_answered_with_near_names(tmp_path: Path, pages: Path, embedder: WordHashes) -> None:
    last(ingest(tmp_path / "store", [pages], "my notes", embedder))

    with pytest.raises(UnknownCollection, match="Did you mean my notes"):
        open_library(tmp_path / "store", "my note", embedder)


@pytest.mark.parametrize("name", ["x", "Ünïcode / ../.. names", "a" * 300, "-"])
def test_a_collection_may_have_any_name(tmp_path: Path, pages: Path, embedder: WordHashes, name: str) -> None:
    last(ingest(tmp_path / "store", [pages], name, embedder))

    assert found(tmp_path / "store", "volumes", name)


def test_another_embedder_makes_the_collection_anew(tmp_path: Path, pages: Path, embedder: WordHashes) -> None:
    class Other(WordHashes):
        name = "other"

    last(ingest(tmp_path / "store", [pages], "mine", Other()))
    with pytest.raises(StoreUnusable, match="Ingest it again"):
        open_library(tmp_path / "store", "mine", embedder)

    assert last(ingest(tmp_path / "store", [pages], "mine", embedder)).embedded == 4


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, pages: Path, embedder: WordHashes) -> None:
    (tmp_path / "store").write_text("a file stands in the way")

    with pytest.raises(StoreUnusable, match=str(tmp_path / "store")):
        list(ingest(tmp_path / "store", [pages], "mine", embedder))


INGEST = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import WordHashes
from knowledge import ingest
print(list(ingest(Path(sys.argv[2]), [Path(sys.argv[3])], "mine", WordHashes()))[-1].pages)
"""


def test_processes_that_ingest_at_once_wait_for_each_other(tmp_path: Path, pages: Path) -> None:
    arguments = [sys.executable, "-c", INGEST, str(Path(__file__).parent), str(tmp_path / "store"), str(pages)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    processes = [subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE) for _ in range(2)]

    outputs = [process.communicate()[0] for process in processes]

    assert outputs == [b"4\n"] * 2
    assert len(found(tmp_path / "store", "docker kubernetes")) == 4
