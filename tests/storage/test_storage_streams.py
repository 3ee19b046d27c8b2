"""Large files become visible whole or not at all."""

import uuid
from pathlib import Path

import pytest

from jepa_ray.storage import atomic_writer, exists, join, list_names, read_bytes, write_bytes


@pytest.fixture(params=["path", "file", "memory"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    kinds = {
        "path": str(tmp_path),
        "file": f"file://{tmp_path}",
        "memory": f"memory://{uuid.uuid4().hex}",
    }
    return kinds[request.param]


def test_a_file_is_not_there_before_its_end(base):
    url = join(base, "a", "b")
    with atomic_writer(url) as file:
        file.write(b"one ")
        assert not exists(url)
        file.write(b"two")
    assert read_bytes(url) == b"one two"
    assert list_names(join(base, "a")) == ["b"]


def test_a_failure_leaves_what_was_there(base):
    url = join(base, "a", "b")
    write_bytes(url, b"before")

    def fail() -> None:
        with atomic_writer(url) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert read_bytes(url) == b"before"
    assert list_names(join(base, "a")) == ["b"]
