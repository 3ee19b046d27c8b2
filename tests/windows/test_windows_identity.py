"""Stable ids and salted hashes."""

import numpy as np
import pytest

from jepa_ray.windows import NO_TIME, NameHasher
from jepa_ray.windows.identity import window_uids

PINNED_UIDS = [16997501907192892775, 11777954396782772233, 7318395116979091706]
PINNED_NAME = 16634661558504017881


START = 1_420_124_400_000_000


def uid(dataset="gharchive", source_id="2489368070", kind="code_event", start=START):
    return int(window_uids(dataset, kind, [source_id], np.array([start]))[0])


def test_a_uid_is_the_same_on_every_machine():
    assert [uid(), uid(start=NO_TIME), uid(source_id="Zürich \udcff")] == PINNED_UIDS


@pytest.mark.parametrize(
    "other",
    [{"dataset": "x"}, {"source_id": "x"}, {"kind": "x"}, {"start": 1}, {"start": NO_TIME}],
)
def test_each_field_changes_the_uid(other):
    assert uid(**other) != uid()


def test_moving_a_character_between_fields_changes_the_uid():
    assert uid(source_id="1", start=23) != uid(source_id="12", start=3)
    assert uid(dataset="ab", kind="c") != uid(dataset="a", kind="bc")


def test_the_uids_of_a_batch_do_not_depend_on_their_neighbours():
    both = window_uids("gharchive", "code_event", ["1", "2489368070"], np.array([2, START]))
    assert int(both[1]) == uid()


def test_a_name_has_one_hash_alone_among_others_and_beside_one_that_is_no_unicode():
    alone = NameHasher("salt")("jane")
    assert alone == NameHasher("salt").many(["john", "jane"])[1]
    assert alone == NameHasher("salt").many(["\udcff", "jane"])[1]


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
