"""What the mail adapter remembers of folders stays small."""

from jepa_ray.adapters.enron_maildir import EnronMaildir
from jepa_ray.config import PrepareConfig


def test_long_folders_are_not_remembered_and_named_all_the_same():
    adapter = EnronMaildir(PrepareConfig())
    names = [f"maildir/u/{'n' * size}/{leaf}" for size in (100, 4000) for leaf in ("1.", "2.")]
    found = [adapter._place(name) for name in names]
    assert found == [(name.removeprefix("maildir/"), "u") for name in names]
    assert list(map(len, adapter._folders)) == [len("maildir/u/") + 100]
