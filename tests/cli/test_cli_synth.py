import pytest

from jepa_ray.cli.synth import size_of
from jepa_ray.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GiB", 2 << 30), ("500MB", 500_000_000), ("1.5 kB", 1500), ("3Ti", 3 << 40), ("17", 17)],
)
def test_a_size_is_read_as_people_write_it(text, size):
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1MB", "2 GiB of it", "0", "2iB", "1e9", "nan"])
def test_anything_else_is_no_size(text):
    with pytest.raises(UsageError, match="2GiB, 500MB or 800kB"):
        size_of(text)


def test_the_verb_says_both_sizes_and_where_the_account_is(command, tmp_path):
    found = command("synth", "--dataset", "gharchive", "--size", "1MB", "--output", tmp_path,
                    "--defects", "0.1", "--json")  # fmt: skip
    assert found.code == 0
    made = found.json["datasets"]["gharchive"]
    assert made["raw_bytes"] == pytest.approx(1_000_000, rel=0.5)
    assert made["files"][0]["bytes"] < made["raw_bytes"] / 3
    assert sum(made["quarantined"].values()) + made["windows"] == made["records"]
    assert (tmp_path / "expected" / "gharchive.json").is_file()


def test_the_table_says_that_there_was_nothing_to_do(command, tmp_path):
    for _ in range(2):
        found = command("synth", "--dataset", "epa", "--records", "9", "--output", tmp_path)
        assert found.code == 0
    assert "Nothing to do" in found.out


@pytest.mark.parametrize(
    ("args", "detail"),
    [
        (("--dataset", "all", "--records", "9"), "name the datasets"),
        (("--dataset", "epa", "--size", "1MB"), "a size and defects are for"),
        (("--dataset", "gharchive"), "either --size or --records"),
        (("--dataset", "gharchive", "--size", "much"), "2GiB"),
    ],
)
def test_a_mistake_is_one_message(command, tmp_path, args, detail):
    found = command("synth", *args, "--output", tmp_path / "x")
    assert found.code == 2
    assert detail in found.err
    assert "Traceback" not in found.err
