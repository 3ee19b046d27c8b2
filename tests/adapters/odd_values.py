"""What property tests feed to adapters: odd JSON values, and valid input with bytes changed."""

from hypothesis import strategies as st

ODD = [
    None, True, 0, 5, -1, 2**70, 1.5, -1e300, "", "x", "WD-morning", "2016-08-04", "\0", "é" * 9,
    "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", [], {}, [[]], [{}], {"a": []}, [5],
    {"name": 5}, {"name": "High"}, {"href": []}, {"title": {}}, "P1D", "PT" + "9" * 400 + "H",
]  # fmt: skip
odd = st.sampled_from(ODD)
mutations = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.binary(max_size=6)), max_size=4
)


def mutated(data, changes):
    """Valid bytes with some replaced."""
    for where, length, new in changes:
        at = int(where * len(data))
        data = data[:at] + new + data[at + length :]
    return data
