"""What a working directory would send."""

import pytest

from jepa_ray.errors import UsageError
from jepa_ray.submit.package import require_small, sizes


@pytest.fixture
def folder(tmp_path):
    for name, size in {"job.yaml": 10, "data/big.bin": 5000, "src/a.py": 100}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    return tmp_path


def test_everything_counts_but_what_ray_leaves_out(folder):
    (folder / ".git").mkdir()
    (folder / ".git" / "pack").write_bytes(b"x" * 9000)
    assert sizes(folder) == {"job.yaml": 10, "data/big.bin": 5000, "src/a.py": 100}
    assert require_small(folder) == 5110


@pytest.mark.parametrize("name", [".rayignore", ".gitignore"])
def test_a_file_that_is_ignored_does_not_count(folder, name):
    (folder / name).write_text("data/\n")
    assert "data/big.bin" not in sizes(folder)


def test_too_much_is_refused_with_the_largest_files(folder):
    with pytest.raises(UsageError, match=r"\.rayignore.*The largest: data/big\.bin"):
        require_small(folder, largest=1000)


def test_what_is_no_folder_is_named(tmp_path):
    with pytest.raises(UsageError, match="is not a folder"):
        require_small(tmp_path / "none")


def test_this_repository_is_small_enough_to_send():
    from pathlib import Path

    repo = Path(__file__).resolve().parents[2]
    assert require_small(repo) < 10 << 20
    assert "jobs/prepare.py" in sizes(repo)
    assert not any(name.startswith(("tests/", ".venv", "docs/")) for name in sizes(repo))
