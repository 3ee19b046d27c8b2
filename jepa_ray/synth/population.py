"""Made-up people, when they work and the words they use: what all archives share.

A person's rhythm is one weight for each of the 168 hours of a week. It has working hours with a
dip for lunch, some work in the evening, a weekend that most keep free and a few do not, sometimes a
free weekday, and about one night owl in eight.
"""

import datetime as dt
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from zlib import crc32

import numpy as np

HOURS_OF_WEEK = 168

_SYLLABLES = """
    bar del fen gor hul jim kas lom mir nov pel quen ros tam vil zun
""".split()  # noqa: SIM905  # a text of words reads better than a list
_WORDS = """
    amber basin borrow brisk candle cedar choose clover collect compare copper corner count cover
    deliver detail draft drift early effort engine fabric finish folder forest gather gentle glass
    grain harbor hollow improve island journey kettle ladder lantern later ledger level linen
    little marble meadow measure middle mirror modest move narrow north number offer orchard order
    paper pattern pebble plain plan polish pocket quiet reason record remain repair result review
    ribbon river saddle sample schedule season second select settle signal silver simple slowly
    sober stable steady summer supply table thread timber together travel update valley velvet
    wander water weather whole willow window winter wooden yellow
""".split()  # noqa: SIM905  # a text of words reads better than a list
_ADDRESS_ENDS = ("example.com", "example.org", "example.net")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist.

    Attributes:
        first: First name.
        last: Last name, not shared with anybody else of the same population.
        address: Mail address.
        activity: How much this person does, relative to the others; above 0, heavy-tailed.
        week: Weight of each hour of the week in the archive's clock, Monday 00:00 first, sum 1.
        reached: Running sum of `week`.
    """

    first: str
    last: str
    address: str
    activity: float
    week: tuple[float, ...]
    reached: tuple[float, ...]

    def moment(self, rng: Random, monday: dt.datetime) -> dt.datetime:
        """Draw a time, to the second, of the week that begins at `monday`."""
        hour = min(bisect(self.reached, rng.random()), HOURS_OF_WEEK - 1)
        return monday + dt.timedelta(seconds=3600 * hour + int(3600 * rng.random()))


def generator(seed: int, dataset: str, *part: int) -> Random:
    """Derive the generator of one part of one dataset."""
    sequence = np.random.SeedSequence([seed, crc32(dataset.encode()), *part])
    return Random(int.from_bytes(sequence.generate_state(8).astype("<u4").tobytes(), "little"))


def made_up_name(index: int) -> str:
    """Spell a number from 0 up as a name of three or more syllables, one to one."""
    scattered = index + 4096 if index >= 4096 else (index * 2671 + 977) % 4096
    syllables: list[str] = []
    while scattered or len(syllables) < 3:
        scattered, digit = divmod(scattered, len(_SYLLABLES))
        syllables.append(_SYLLABLES[digit])
    return "".join(syllables).capitalize()


def people(rng: Random, size: int, clock_shifts: Sequence[int] = (0,)) -> list[Person]:
    """Invent a population.

    Args:
        rng: Decides everything but the last names.
        size: Number of people.
        clock_shifts: Hours by which the archive's clock is ahead of a person's own; one is drawn
            for each person.

    Returns:
        `size` people with distinct last names and addresses.
    """
    population = []
    for index in range(size):
        first = "".join(rng.choices(_SYLLABLES, k=2)).capitalize()
        last = made_up_name(index)
        address = f"{first}.{last}@{_ADDRESS_ENDS[index % 3]}".lower()
        shift = rng.choice(clock_shifts) % HOURS_OF_WEEK
        own = _own_week(rng)
        week = own[-shift:] + own[:-shift] if shift else own
        activity = rng.lognormvariate(0.0, 1.0)
        person = Person(first, last, address, activity, tuple(week), tuple(accumulate(week)))
        population.append(person)
    return population


def words(rng: Random, count: int) -> str:
    """Join some words of the vocabulary with spaces."""
    return " ".join(rng.choices(_WORDS, k=count))


def sentences(rng: Random, size: int) -> list[str]:
    """Write a stock of sentences from which texts are put together."""
    return [words(rng, rng.randint(4, 12)).capitalize() + "." for _ in range(size)]


def text(rng: Random, stock: Sequence[str], mean: float, most: int = 400) -> str:
    """Put 1 to `most` sentences together, roughly `mean` of them on average, with a long tail."""
    count = min(most, 1 + int(mean * rng.lognormvariate(-0.5, 1.0)))
    return " ".join(rng.choices(stock, k=count))


def portions(total: int, weights: Sequence[float]) -> Iterator[int]:
    """Split a whole number by weights, so that the portions add up to it.

    Args:
        total: What there is to hand out, 0 or more.
        weights: At least one above 0, none below.

    Yields:
        One whole number per weight.
    """
    whole, reached, handed_out = sum(weights), 0.0, 0
    for index, weight in enumerate(weights):
        reached += weight
        last = index == len(weights) - 1
        until = total if last else min(total, int(total * reached / whole))
        yield until - handed_out
        handed_out = until


def _own_week(rng: Random) -> list[float]:
    """Draw the 168 hourly weights of one person in the person's own clock; they add up to 1."""
    owl = rng.random() < 0.12
    begin = rng.gauss(19.5, 1.0) if owl else rng.gauss(8.7, 0.9)
    length = rng.uniform(4.0, 7.0) if owl else rng.uniform(7.0, 9.5)
    evening = 0.4 * rng.random() ** 2
    weekend = rng.choice((0.02, 0.02, 0.04, 0.1, 0.7))
    days = [rng.uniform(0.7, 1.3) for _ in range(5)] + [weekend, weekend * rng.uniform(0.5, 1.5)]
    if rng.random() < 0.15:
        days[rng.randrange(5)] = 0.03
    weights = []
    for hour in range(HOURS_OF_WEEK):
        since = (hour + 0.5 - begin) % 24
        weight = 1.0 if since < length else evening if since < length + 4 else 0.005
        lunch = 0.4 if 3.2 < since < 4.2 and not owl else 1.0
        weights.append(days[hour // 24] * weight * lunch)
    whole = sum(weights)
    return [weight / whole for weight in weights]
