from hypothesis import given
from hypothesis import strategies as st

from jepa_ray.confirm import pass_order

NAMES = [f"dataset_{letter}" for letter in "abcdefghijk"]


def test_the_order_of_a_seed_never_changes():
    found = "".join(name[-1] for name in pass_order(NAMES, 2026061101))
    assert found == "acebfihgjdk"


@given(st.permutations(NAMES), st.integers(0, 2**63 - 1))
def test_every_dataset_comes_once_however_they_were_given(names, seed):
    order = pass_order(names, seed)
    assert order == pass_order(NAMES, seed)
    assert sorted(order) == NAMES


def test_passes_meet_the_datasets_in_orders_of_their_own():
    assert len({tuple(pass_order(NAMES, seed)) for seed in range(2026061101, 2026061107)}) == 6
