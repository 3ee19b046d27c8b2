"""Stable ids and salted hashes."""

import pytest

from jepa_ray.windows import NameHasher
from jepa_ray.windows.identity import window_uids

PINNED_UIDS = [12933307153367878074, 2861643103124686137, 17637813925842392582]
PINNED_NAME = 16903786489404083797


def uid(dataset="gharchive", source_id="2489368070", kind="code_event", start="1420124400000000"):
    return int(window_uids(dataset, kind, [source_id], [start])[0])


def test_a_uid_is_the_same_on_every_machine():
    assert [uid(), uid(start=""), uid(source_id="Zürich \udcff")] == PINNED_UIDS


@pytest.mark.parametrize(
    "other",
    [{"dataset": "x"}, {"source_id": "x"}, {"kind": "x"}, {"start": "1"}, {"start": ""}],
)
def test_each_field_changes_the_uid(other):
    assert uid(**other) != uid()


def test_moving_a_character_between_fields_changes_the_uid():
    assert uid(source_id="1", start="23") != uid(source_id="12", start="3")
    assert uid(dataset="ab", kind="c") != uid(dataset="a", kind="bc")


def test_the_uids_of_a_batch_do_not_depend_on_their_neighbours():
    both = window_uids("gharchive", "code_event", ["1", "2489368070"], ["2", "1420124400000000"])
    assert int(both[1]) == uid()


def test_the_same_salt_gives_the_same_hashes():
    assert NameHasher("salt")("jane") == NameHasher("salt")("jane") == PINNED_NAME
    assert NameHasher("salt").hex("jane") == f"{PINNED_NAME:016x}"


def test_another_salt_gives_other_hashes_and_another_fingerprint():
    assert NameHasher("salt")("jane") != NameHasher("pepper")("jane")
    assert NameHasher("salt").fingerprint != NameHasher("pepper").fingerprint


def test_the_fingerprint_names_the_salt_and_does_not_hold_it():
    found = NameHasher("secret-salt").fingerprint
    assert found == NameHasher("secret-salt").fingerprint
    assert len(found) == 16
    assert "secret" not in found
    assert found != NameHasher("secret-salt").hex("secret-salt")


def test_any_string_can_be_hashed():
    assert NameHasher("s")("a\udcff\0") > 0
