"""Small files on paths and URLs."""

import errno
import os
import uuid
from pathlib import Path

import pytest

from jepa_ray.errors import UsageError
from jepa_ray.storage import (
    atomic_writer,
    delete,
    exists,
    join,
    list_names,
    local_path,
    read_bytes,
    read_json,
    remove_unfinished,
    write_bytes,
    write_json,
)


@pytest.fixture(params=["path", "file", "local", "memory"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty folder on each kind of file system."""
    kinds = {
        "path": str(tmp_path),
        "file": f"file://{tmp_path}",
        "local": f"local://{tmp_path}",
        "memory": f"memory://{uuid.uuid4().hex}",
    }
    return kinds[request.param]


def test_what_is_written_is_read_back(base):
    write_bytes(join(base, "a", "b", "c.bin"), b"\x00\xff")
    assert read_bytes(join(base, "a", "b", "c.bin")) == b"\x00\xff"


def test_what_a_killed_write_left_is_removed_and_nothing_else(base):
    write_bytes(join(base, "whole"), b"1")
    folder = local_path(base)
    if folder:
        (folder / ".tmp-killed").write_bytes(b"half")
    remove_unfinished(base)
    remove_unfinished(join(base, "nothing"))
    assert list_names(base) == ["whole"]


def test_a_second_write_replaces_the_first(base):
    write_bytes(join(base, "c"), b"long content")
    write_bytes(join(base, "c"), b"")
    assert read_bytes(join(base, "c")) == b""


def test_json_comes_back_as_it_was(base):
    document = {"name": "Zürich", "n": [1, 2.5, None, True]}
    write_json(join(base, "d.json"), document)
    assert read_json(join(base, "d.json")) == document
    assert read_bytes(join(base, "d.json")).endswith(b"}\n")


def test_names_are_listed_sorted_with_folders_and_without_paths(base):
    for name in ("b", "a", "sub/x"):
        write_bytes(join(base, name), b"1")
    assert list_names(base) == ["a", "b", "sub"]
    assert list_names(join(base, "sub")) == ["x"]


def test_a_folder_that_is_not_there_has_no_names(base):
    assert list_names(join(base, "nothing")) == []


def test_delete_removes_a_file_and_is_content_with_none(base):
    write_bytes(join(base, "a"), b"1")
    delete(join(base, "a"))
    delete(join(base, "a"))
    assert not exists(join(base, "a"))


def test_a_file_that_is_not_there_raises_file_not_found(base):
    with pytest.raises(FileNotFoundError):
        read_bytes(join(base, "nothing"))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_nan_and_infinity_are_refused_and_nothing_is_written(base, number):
    with pytest.raises(ValueError, match="JSON"):
        write_json(join(base, "d.json"), {"x": number})
    assert not exists(join(base, "d.json"))


def test_a_write_that_fails_leaves_the_old_content_and_no_temporary_file(tmp_path):
    target = tmp_path / "a"
    write_bytes(target, b"old")
    with pytest.raises(TypeError):
        write_bytes(target, "text is not bytes")
    assert target.read_bytes() == b"old"
    assert list_names(tmp_path) == ["a"]


def test_a_write_that_cannot_take_its_place_leaves_no_temporary_file(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        write_bytes(tmp_path / "a", b"new")
    assert list_names(tmp_path) == ["a"]


def test_a_written_file_can_be_read_by_others(tmp_path):
    write_bytes(tmp_path / "a", b"")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("base", "joined"),
    [
        ("a", "a/x/y"), ("a/", "a/x/y"), ("/", "/x/y"), ("/a/", "/a/x/y"),
        ("file:///", "file:///x/y"), ("file:///a", "file:///a/x/y"),
        ("memory://", "memory://x/y"), ("s3://bucket", "s3://bucket/x/y"),
        ("s3://bucket/", "s3://bucket/x/y"), (Path("a"), "a/x/y"),
    ],
)  # fmt: skip
def test_join_puts_one_slash_between_and_keeps_roots(base, joined):
    assert join(base, "x", "y") == joined


def test_only_local_urls_have_a_local_path():
    assert local_path("file:///a/b") == Path("/a/b")
    assert local_path("local:///a/b") == Path("/a/b")
    assert local_path("a/b") == Path("a/b")
    assert local_path("s3://bucket/a") is None


def test_an_unknown_scheme_is_a_mistake_of_the_user_that_names_the_url():
    with pytest.raises(UsageError, match=r"nosuch://x.*Protocol not known"):
        read_bytes("nosuch://x")
    with pytest.raises(UsageError, match="nosuch"):
        list_names("nosuch://x")


def write_large(path: Path, data: bytes) -> None:
    with atomic_writer(path) as file:
        file.write(data)


@pytest.mark.parametrize("write", [write_bytes, write_large])
def test_a_disk_that_is_full_says_for_which_file(tmp_path, monkeypatch, write):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/there'"):
        write(tmp_path / "there", b"1")
    assert list(tmp_path.iterdir()) == []
