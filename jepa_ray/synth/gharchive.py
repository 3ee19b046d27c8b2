"""GH Archive: one event per line of an hourly `YYYY-MM-DD-H.json.gz`, in the schema since 2015.

The hours follow each other from Monday, 2 March 2015, 00:00 UTC; a small archive covers up to a
week, a large one as many hours as it takes at the real load. Who acts in an hour follows from the
rhythms of the people, who live in four zones, so the files differ in size as the real ones do.
Ids rise; one event in two hundred is dated a little before the event above it.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from jepa_ray.synth.gharchive_payloads import MIX, payload
from jepa_ray.synth.gharchive_world import Developer, Repository, World
from jepa_ray.synth.output_files import whole_gzip_file
from jepa_ray.synth.population import HOURS_OF_WEEK, generator, portions

_DATASET = "gharchive"
_FIRST_HOUR = dt.datetime(2015, 3, 2, tzinfo=dt.UTC)
_REAL_LOAD = 11_351  # events an hour, as in the sample of 2015-01-01
_LEAST_LOAD = 50  # events an hour below which an archive gets fewer hours
_MOST_DEVELOPERS = 2000


def write(root: Path, seed: int, records: int) -> int:
    """Write consecutive hourly files; return the number of events."""
    rng = generator(seed, _DATASET, 0)
    world = World(rng, developers=max(20, min(_MOST_DEVELOPERS, records // 10)))
    kinds = [_kinds_of(rng) for _ in world.developers]
    hours = max(1, min(HOURS_OF_WEEK, records // _LEAST_LOAD), -(-records // _REAL_LOAD))
    load = [
        sum(who.person.activity * who.person.week[hour] for who in world.developers)
        for hour in range(HOURS_OF_WEEK)
    ]
    event_id = 2_600_000_000
    weights = [load[hour % HOURS_OF_WEEK] for hour in range(hours)]
    for hour, events in enumerate(portions(records, weights)):
        begin = _FIRST_HOUR + dt.timedelta(hours=hour)
        path = root / "gharchive" / f"{begin:%Y-%m-%d}-{begin.hour}.json.gz"
        rng = generator(seed, _DATASET, 1, hour)
        with whole_gzip_file(path) as stream:
            for second, who in _acts(rng, world, hour % HOURS_OF_WEEK, events):
                event_id += rng.randint(1, 3)
                kind = rng.choices(list(MIX), cum_weights=kinds[who.number])[0]
                repo = world.repository(rng, who)
                made = event(rng, world, who, repo, kind, begin + dt.timedelta(seconds=second))
                stream.write(msgspec.json.encode({"id": str(event_id), **made}) + b"\n")
    return records


def _kinds_of(rng: Random) -> list[float]:
    """Draw one developer's own running weights of the kinds in `MIX`."""
    return list(accumulate(share * rng.gammavariate(4.0, 0.25) for share in MIX.values()))


def _acts(rng: Random, world: World, hour: int, count: int) -> Iterator[tuple[int, Developer]]:
    """Yield who acts at which second of one hour of the week, nearly in order."""
    weights = list(
        accumulate(who.person.activity * who.person.week[hour] for who in world.developers)
    )
    actors = rng.choices(world.developers, cum_weights=weights, k=count)
    seconds = sorted(rng.randrange(3600) for _ in range(count))
    above = 0
    for drawn, who in zip(seconds, actors, strict=True):
        second = max(0, above - rng.randint(1, 3)) if rng.random() < 0.005 else drawn
        yield second, who
        above = second


def event(
    rng: Random, world: World, who: Developer, repo: Repository, kind: str, moment: dt.datetime
) -> dict[str, Any]:
    """Make one event, all but its id; `org` stands there if an organisation owns the repository."""
    made = {
        "type": kind,
        "actor": who.as_actor,
        "repo": repo.as_named,
        "payload": payload(kind, rng, world, who, repo, moment),
        "public": True,
        "created_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }
    return made | {"org": repo.owner.as_actor} if repo.owner.organisation else made
