"""A tree of small files: listed once, read in groups, and what changes in between noticed."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa_ray.errors import StageError
from jepa_ray.readers import RawDefect, RawItem, list_groups, read_group
from jepa_ray.readers.tree import FILE_WEIGHT, _content

EVERYTHING = 1 << 40


def write(top, *names, data=b"x"):
    for name in names:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def groups(top, max_weight=EVERYTHING):
    return list(list_groups(top, max_weight=max_weight))


def read(top, group, limit=1 << 20):
    return list(read_group(top, group.names, group.digest, name="top", max_file_bytes=limit))


def test_files_come_in_the_order_of_their_paths_each_folder_a_group(tmp_path):
    write(tmp_path, "b/2", "b/10", "b/1/z", "b/1-", "a.b/3", "a/4", "c")
    found = [name for group in groups(tmp_path) for name in group.names.split("\0")]
    assert found == [p.relative_to(tmp_path).as_posix() for p in sorted(tmp_path.rglob("*"))
                     if p.is_file()]  # fmt: skip
    assert [group.folder for group in groups(tmp_path)] == ["a", "a.b", "b", "c"]


def test_a_group_is_closed_by_the_file_that_fills_it(tmp_path):
    write(tmp_path, *(f"a/{i}" for i in range(5)))
    found = groups(tmp_path, max_weight=2 * FILE_WEIGHT)
    assert [group.names for group in found] == ["a/0\0a/1", "a/2\0a/3", "a/4"]
    assert [(group.bytes, group.weight) for group in found[1:]] == [
        (2, 2 * FILE_WEIGHT + 2),
        (1, FILE_WEIGHT + 1),
    ]


def test_a_group_is_read_under_names_as_an_archive_has_them(tmp_path):
    write(tmp_path, "a/in/1.", data=b"one")
    write(tmp_path, os.fsdecode(b"a/in/\xff"), data=b"two")
    (group,) = groups(tmp_path)
    assert read(tmp_path, group) == [
        RawItem(1, "top/a/in/1.", b"one"),
        RawItem(2, os.fsdecode(b"top/a/in/\xff"), b"two"),
    ]


def test_an_empty_tree_has_no_groups(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    assert groups(tmp_path) == []


def test_what_is_no_file_is_refused_and_the_rest_read(tmp_path):
    write(tmp_path, "a/4", "a/5", data=b"123")
    write(tmp_path, "a/6", data=b"1234")
    (tmp_path / "a/1").symlink_to("/etc/hostname")
    (tmp_path / "a/2").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "a/3")
    (group,) = groups(tmp_path)
    found = read(tmp_path, group, limit=3)
    slugs = [item.slug if isinstance(item, RawDefect) else item.data for item in found]
    assert slugs == ["unsafe_member"] * 3 + [b"123"] * 2 + ["record_too_large"]
    assert [item.number for item in found] == [1, 2, 3, 4, 5, 6]


def grow(path):
    path.write_bytes(b"longer")


def touch(path):
    os.utime(path, ns=(1, 1))


def link(path):
    path.unlink()
    path.symlink_to("/etc/hostname")


def pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [grow, touch, link, pipe])
def test_a_file_that_changed_since_the_listing_is_noticed(tmp_path, change):
    write(tmp_path, "a/1", "a/2")
    (group,) = groups(tmp_path)
    change(tmp_path / "a/2")
    with pytest.raises(StageError, match="changed while it was read"):
        read(tmp_path, group)


@pytest.mark.parametrize("change", [grow, link, pipe])
def test_a_file_that_becomes_another_between_a_look_and_its_opening_is_noticed(tmp_path, change):
    write(tmp_path, "a")
    found = (tmp_path / "a").lstat()
    change(tmp_path / "a")
    with pytest.raises(StageError):
        _content(tmp_path / "a", found)


def deep(top, levels):
    """Folders with names of 250 characters in each other, and a file in each; the innermost."""
    handle = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 250, dir_fd=handle)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=below))
        handle = below
    os.close(handle)


def test_what_lies_beyond_the_longest_path_is_one_defect(tmp_path):
    deep(tmp_path, 20)
    found = [item for group in groups(tmp_path) for item in read(tmp_path, group)]
    bad = [item for item in found if isinstance(item, RawDefect)]
    assert [item.slug for item in bad] == ["unreadable_file"]
    assert 10 < len(found) - len(bad) < 20


@pytest.fixture
def nobody():
    """A folder of a user who may not do everything, as whom the test runs."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
            yield Path(folder)
            os.seteuid(0)
        else:
            yield Path(folder)


@pytest.mark.parametrize("mode", [0o000, 0o400, 0o100], ids=["neither", "listed", "entered"])
def test_a_folder_that_cannot_be_listed_or_entered_is_one_defect(nobody, mode):
    write(nobody, "a/in/1", "a/in/2", "b/1")
    (nobody / "a/in").chmod(mode)
    found = [item for group in groups(nobody) for item in read(nobody, group)]
    (nobody / "a/in").chmod(0o700)
    assert found == [
        RawDefect(1, "unreadable_file", "the folder cannot be listed or entered"),
        RawItem(1, "top/b/1", b"x"),
    ]


def test_a_file_that_is_gone_since_the_listing_is_an_error_of_the_system(tmp_path):
    write(tmp_path, "a/1")
    (group,) = groups(tmp_path)
    (tmp_path / "a/1").unlink()
    with pytest.raises(FileNotFoundError):
        read(tmp_path, group)


def test_a_group_of_the_same_files_elsewhere_has_the_same_digest(tmp_path):
    for top in ("x", "y"):
        write(tmp_path / top, "a/1")
        touch(tmp_path / top / "a/1")
    assert groups(tmp_path / "x") == groups(tmp_path / "y")


@settings(deadline=None, max_examples=50)
@given(st.sets(st.text("ab.-", min_size=1, max_size=3).filter(lambda t: t.strip(".")), max_size=9),
       st.integers(1, 4))  # fmt: skip
def test_groups_of_any_size_have_the_same_files(tmp_path_factory, names, files):
    top: Path = tmp_path_factory.mktemp("tree")
    for name in names:
        write(top, f"{name}/{name}", f"{name}/x/{name}.", data=name.encode())
    found = groups(top, max_weight=files * FILE_WEIGHT)
    items = [item for group in found for item in read(top, group)]
    whole = [item for group in groups(top) for item in read(top, group)]
    assert [item[1:] for item in items] == [item[1:] for item in whole]
