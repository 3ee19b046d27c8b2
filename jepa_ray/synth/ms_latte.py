"""To-do tasks with judges' votes on place and time: one indented JSON array, `MS-LaTTE.json`.

True to the real sample: string ids of seven digits in no order, `Known` as "yes" or "no", votes as
comma-joined lower-case strings that are empty when not known, five judges of the time and three or
four of the place. Tasks stand on lists, and each list has a time of its own when its tasks are
done; one task in a hundred is known to no judge.
"""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from jepa_ray.synth.output_files import whole_file
from jepa_ray.synth.population import generator, words

_DATASET = "ms_latte"
_LISTS = 40
_TIMES = {  # shares of the votes, from the real sample
    "WD-morning": 51, "WD-afternoon": 102, "WD-evening": 146, "WD-night": 18, "WD-anytime": 11,
    "WE-morning": 70, "WE-afternoon": 98, "WE-evening": 70, "WE-night": 9, "WE-anytime": 12,
}  # fmt: skip
_VOTES = {1: 81, 2: 159, 3: 41, 4: 11, 5: 3, 6: 1}  # times that one judge names
_PLACES = {"home": 133, "work": 98, "public": 27}
_PUBLIC_PLACES = ("bookstore", "clothing", "dentist", "electronics", "library", "officesupply")
_IDS, _ID_STEP = 9_000_000, 7_654_321  # no common factor: each id comes once


class _List(NamedTuple):
    """A list of tasks: its title, and the running weights of its votes."""

    title: str
    times: list[float]
    places: list[float]


def write(root: Path, seed: int, records: int) -> int:
    """Write one array; return the number of tasks."""
    with whole_file(root / "ms_latte" / "MS-LaTTE.json") as stream:
        for number, task in enumerate(_tasks(seed, records)):
            text = msgspec.json.format(msgspec.json.encode(task), indent=3)
            stream.write((b",\n   " if number else b"[\n   ") + text.replace(b"\n", b"\n   "))
        stream.write(b"\n]\n")
    return records


def _tasks(seed: int, count: int) -> Iterator[dict[str, object]]:
    rng = generator(seed, _DATASET)
    lists = [_list(rng) for _ in range(_LISTS)]
    first = rng.randrange(_IDS)
    for number in range(count):
        chosen = lists[min(int(rng.expovariate(0.12)), _LISTS - 1)]
        doubt = 1.0 if rng.random() < 0.01 else 0.01
        rounds, place = divmod(number, _IDS)
        yield {
            "ID": str(10**6 + rounds * 10**7 + (first + place * _ID_STEP) % _IDS),
            "TaskTitle": words(rng, rng.choice((1, 2, 2, 2, 3, 3))),
            "ListTitle": chosen.title,
            "LocJudgements": [
                _place(rng, chosen, 0.07) for _ in range(4 if rng.random() < 0.05 else 3)
            ],
            "TimeJudgements": [_time(rng, chosen, doubt) for _ in range(5)],
        }


def _list(rng: Random) -> _List:
    """Invent a list whose votes lie about the overall shares, each by a factor of its own."""

    def own(shares: dict[str, int]) -> list[float]:
        return list(accumulate(share * rng.lognormvariate(0.0, 1.0) for share in shares.values()))

    return _List(words(rng, rng.choice((1, 1, 2))), own(_TIMES), own(_PLACES))


def _time(rng: Random, chosen: _List, doubt: float) -> dict[str, str]:
    if rng.random() < doubt:
        return {"Known": "no", "Times": ""}
    most = rng.choices(list(_VOTES), weights=list(_VOTES.values()))[0]
    votes = dict.fromkeys(rng.choices(list(_TIMES), cum_weights=chosen.times, k=most))
    return {"Known": "yes", "Times": ",".join(votes)}


def _place(rng: Random, chosen: _List, doubt: float) -> dict[str, str]:
    if rng.random() < doubt:
        return {"Known": "no", "Locations": "", "PublicLocations": ""}
    most = 2 if rng.random() < 0.5 else 1
    places = dict.fromkeys(rng.choices(list(_PLACES), cum_weights=chosen.places, k=most))
    public = rng.choice(_PUBLIC_PLACES) if "public" in places else ""
    return {"Known": "yes", "Locations": ",".join(places), "PublicLocations": public}
