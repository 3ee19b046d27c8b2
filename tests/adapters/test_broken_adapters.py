"""What somebody sees whose adapter is not right yet."""

import csv
from typing import ClassVar

import pytest

from jepa_ray.adapters import LineAdapter, catalogue, parse_block, registry
from jepa_ray.adapters.public_jira import PublicJira
from jepa_ray.config import PrepareConfig
from jepa_ray.errors import StageError
from jepa_ray.readers import RawItem
from jepa_ray.windows import Activity


class _Unfinished(LineAdapter):
    info: ClassVar = PublicJira.info
    kind: ClassVar = "line"


class _Misspelt(_Unfinished):
    def activity(self, record):
        return Activity("1", None, {"calender_event": 1.0})


class _Deep(_Unfinished):
    def activity(self, record):
        return list(csv.DictReader(["Secret"], strict="yes", dialect=record.data.decode()))


class _Unlisted(_Unfinished):
    version: ClassVar = 1

    def shards(self, root):
        raise ValueError(f"Secret {root}")


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        (_Unfinished, "raised NotImplementedError (_Unfinished has no method activity) at"),
        (_Misspelt, "raised AssertionError (no stored feature 'calender_event'; there are"),
        (_Deep, "raised Error at test_broken_adapters.py:"),
    ],
)
def test_the_message_says_what_to_mend_in_the_code_and_quotes_no_record(adapter, said):
    with pytest.raises(StageError) as caught:
        parse_block(adapter(PrepareConfig()), "b.txt", [RawItem(1, "", b"Secret")])
    assert said in str(caught.value)
    assert "Secret" not in str(caught.value)


def test_an_adapter_whose_shards_fail_leaves_the_others_in_the_catalogue(monkeypatch, tmp_path):
    found = {"public_jira": PublicJira, "unlisted": _Unlisted}
    monkeypatch.setattr(registry, "_load", lambda: (found, {}))
    good, bad = catalogue(tmp_path)
    assert (good["status"], good["reason"]) == ("missing", None)
    assert (bad["status"], bad["bytes"]) == ("broken", None)
    assert bad["reason"].startswith("raised ValueError at test_broken_adapters.py:")
