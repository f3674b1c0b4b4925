"""Building: by content, once, by a compiler that is new enough, and with its last words where it fails."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engines import VERSIONS, Images
from sandbox.errors import EngineUnavailable, ImageMissing
from sandbox.local import build, images
from sandbox.local.toolchain import OLDEST, Workshop, parse_version

# A compiler that says its version and, asked to build, writes what it was asked.
GO = """#!/bin/sh
case $1 in
  version) echo "go version go1.99.1 linux/amd64" ;;
  list) printf 'runtime\\nfmt\\nportside.dev/kubernetes\\n' ;;
  mod) printf '# get https://proxy.example/a.zip: 200 OK (0.1s)\\nother\\n' ;;
  build) echo runtime; echo portside.dev/kubernetes
    while [ "$1" != -o ]; do shift; done; echo "$*" >"$2"; echo built >>"$COUNT" ;;
esac
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(GO)
    go.chmod(0o755)
    os.environ["PATH"] = f"{go.parent}:{os.environ['PATH']}"
    os.environ["COUNT"] = str(tmp_path / "count")
    return Workshop(tmp_path / "cache")


async def test_kubernetes_is_compiled_once_though_two_want_it_and_the_part_done_is_told(workshop: Workshop) -> None:
    told: list[float | None] = []

    binaries = await asyncio.gather(*(build.build_kubernetes(workshop, told.append) for _ in range(2)))

    assert set(binaries) == {build.kubernetes_binary(workshop.cache)}
    assert binaries[0].exists()
    assert binaries[0].with_name("kubectl").resolve() == binaries[0]
    assert Path(os.environ["COUNT"]).read_text().splitlines() == ["built"]  # noqa: ASYNC240 - a test's own file
    assert told == [1 / 3, 2 / 3]
    assert [file.name for file in sorted(binaries[0].parent.iterdir())] == ["kubectl", "kubernetes"]


async def test_modules_are_counted_as_they_come_and_not_fetched_again_once_all_is_built(workshop: Workshop) -> None:
    told: list[float | None] = []

    await build.fetch_modules(workshop, told.append)
    await build.build_kubernetes(workshop, lambda _: None)
    await build.fetch_modules(workshop, told.append)

    assert len(told) == 1
    assert 0 < (told[0] or 0) < 0.02


async def test_the_demo_app_is_compiled_once(workshop: Workshop) -> None:
    binaries = await asyncio.gather(*(build.build_app(workshop) for _ in range(2)))

    assert set(binaries) == {build.app_binary(workshop.cache)}
    assert Path(os.environ["COUNT"]).read_text().splitlines() == ["built"]  # noqa: ASYNC240 - a test's own file


async def test_a_build_that_fails_tells_its_last_words_and_what_to_do(workshop: Workshop) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9 10; do echo word$i; done; exit 3"

    with pytest.raises(EngineUnavailable, match=r"word10.*GOPROXY") as failed:
        _ = [line async for line in workshop.run("sh", "-c", script)]

    assert "word2" not in str(failed.value)


async def test_a_compiler_that_is_too_old_is_not_used(workshop: Workshop, tmp_path: Path) -> None:
    go = tmp_path / "bin" / "go"

    assert await workshop._find_go() == go
    go.write_text(GO.replace("go1.99.1", "go1.19.8"))

    assert await Workshop(workshop.cache)._version(go) < OLDEST


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.6 linux/amd64", (1, 26, 6)),
        ("go version go1.27rc1 linux/arm64", (1, 27, 0)),
        ("devel", (0, 0, 0)),
    ],
)
def test_go_says_its_version(text: str, version: tuple[int, int, int]) -> None:
    assert parse_version(text) == version


@given(st.text())
def test_whatever_else_it_says_is_an_old_version(text: str) -> None:
    assert parse_version(text.replace("go", "")) == (0, 0, 0)


@given(st.binary(), st.binary())
def test_the_fingerprint_stands_for_the_content(
    tmp_path_factory: pytest.TempPathFactory, one: bytes, two: bytes
) -> None:
    folder = tmp_path_factory.mktemp("sources")
    for name, content in (("one", one), ("two", two)):
        (folder / name).write_bytes(content)

    assert (build.fingerprint(folder / "one") == build.fingerprint(folder / "two")) == (one == two)


def test_the_app_is_known_by_all_of_its_sources(tmp_path: Path) -> None:
    sources = build.fingerprint(build.APP / "go.mod", build.APP / "client.go", build.APP / "main.go")

    assert build.app_binary(tmp_path) == tmp_path / f"app-{sources}" / "web"


def test_the_version_of_kubernetes_stands_in_go_mod() -> None:
    assert build.kubernetes_version().startswith("v1.")


def listed(*versions: str) -> str:
    lines = (
        f"docker.io/{images.TAG}:{version} application/vnd.docker.distribution.manifest "
        f"sha256:{version * 64} 5.2 MiB linux/amd64 - "
        for version in versions
    )
    return "\n".join(("REF TYPE DIGEST SIZE PLATFORMS LABELS ", *lines, ""))


def test_the_digest_of_each_version_is_read_from_the_list_of_a_node() -> None:
    digests = images.parse_digests(listed("1", "2", "never-ready"))

    assert digests == {version: f"sha256:{version * 64}" for version in VERSIONS}


@pytest.mark.parametrize("missing", VERSIONS)
def test_a_version_that_a_node_does_not_list_is_missed(missing: str) -> None:
    with pytest.raises(EngineUnavailable, match=rf"{missing} was loaded.*is not there"):
        images.parse_digests(listed(*(version for version in VERSIONS if version != missing)))


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("registry.example/team/web:1", "registry.example/team/web:2"),
        ("registry.example:5000/web", "registry.example:5000/web:2"),
        ("web:latest", "web:2"),
    ],
)
def test_beside_the_tag_of_a_published_image_stand_those_of_its_other_versions(name: str, second: str) -> None:
    published = Images.published(name)

    assert (published.of("1"), published.of("2")) == (name, second)
    assert published.of("never-ready") == second.removesuffix("2") + "never-ready"


def test_a_published_digest_is_one_version_alone_and_the_others_are_missed_with_what_to_do() -> None:
    published = Images.published(f"registry.example/web@sha256:{'a' * 64}")

    assert published.of("1").endswith("a" * 64)
    with pytest.raises(ImageMissing, match=r"PORTSIDE_DEMO_IMAGE names must have a tag.*:2"):
        published.of("2")
