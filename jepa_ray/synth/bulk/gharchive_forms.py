"""Lines of GH Archive with holes: made once by the generator of single events, filled many times.

A hole is `%(name)b`: who, where, when, ids, hashes of commits and texts. All else (keys, nesting,
URLs, which parts are null) is that of the event the form was made from.
"""

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from jepa_ray.synth.gharchive import event
from jepa_ray.synth.gharchive_payloads import MIX
from jepa_ray.synth.gharchive_world import Developer, Repository, World
from jepa_ray.synth.population import generator

_FORMS = 1200
_FEWEST = 4  # of a kind
_TEXTS = {  # which texts the bodies of an event are, in the order of its JSON
    "IssuesEvent": ("issue",),
    "IssueCommentEvent": ("issue", "comment"),
    "PullRequestEvent": ("pull",),
    "PullRequestReviewCommentEvent": ("comment", "pull"),
    "CommitCommentEvent": ("comment",),
    "ReleaseEvent": ("release",),
}
_MOMENT = dt.datetime(2014, 1, 1, tzinfo=dt.UTC)
_STAMP = rb"2014-01-01T00:00:00Z"
_HOLE = (
    rb"(?P<repo>%(repo)b)|(?P<actor>%(actor)b)|(?P<owner>%(owner)b)|(?P<when>" + _STAMP + rb")"
    rb"|(?P<account>\b%(account)b\b)|(?P<sha>\b[0-9a-f]{40}\b)"
    rb'|(?<="push_id":)(?P<push>\d+)|(?<="repo":\{"id":)(?P<place>\d+)'
    rb'|(?<="message":")(?P<message>(?:[^"\\]|\\.)*)|(?<="body":")(?P<body>(?:[^"\\]|\\.)*)'
)


class Form(NamedTuple):
    """One line with holes.

    Attributes:
        line: For `line % {name: value}`; the names are actor, account, repo, place, owner, id,
            push, when and those below.
        shas: Names of the hashes in it.
        texts: Names of the texts in it.
        kinds: What each of them is: message, issue, comment, pull or release.
    """

    line: bytes
    shas: tuple[bytes, ...]
    texts: tuple[bytes, ...]
    kinds: tuple[str, ...]


class Forms(NamedTuple):
    """Forms and how often each is used."""

    forms: Sequence[Form]
    shares: NDArray[np.float64]


@lru_cache(maxsize=2)
def forms(seed: int) -> tuple[Forms, Forms]:
    """Forms of repositories that a person owns, and of those that an organisation owns."""
    rng = generator(seed, "gharchive", 2)
    world = World(rng, developers=200)
    return _forms(rng, world, world.own), _forms(rng, world, world.shared)


def _forms(rng: Random, world: World, repositories: Sequence[Repository]) -> Forms:
    found, shares = [], []
    for kind, weight in MIX.items():
        count = max(_FEWEST, int(_FORMS * weight / sum(MIX.values())))
        for _ in range(count):
            repo = rng.choice(repositories)
            who = rng.choice(world.developers)
            while who.login == repo.owner.login:
                who = rng.choice(world.developers)
            found.append(_form(rng, world, who, repo, kind))
            shares.append(weight / count)
    return Forms(found, np.array(shares) / sum(shares))


def _form(rng: Random, world: World, who: Developer, repo: Repository, kind: str) -> Form:
    """Find the holes in one event."""
    made = {"id": "-", **event(rng, world, who, repo, kind, _MOMENT)}
    line = msgspec.json.encode(made).replace(b"%", b"%%").replace(b'"id":"-"', b'"id":"%(id)b"', 1)
    account = str(1_000_000 + who.number * 37)
    named = {"repo": repo.name, "actor": who.login, "owner": repo.owner.login, "account": account}
    hole = re.compile(_HOLE % {k.encode(): re.escape(v.encode()) for k, v in named.items()})
    bodies = iter(_TEXTS.get(kind, ()))
    shas: list[bytes] = []
    texts: dict[bytes, str] = {}

    def name(match: re.Match[bytes]) -> bytes:
        key = str(match.lastgroup)
        if key == "sha":
            shas.append(b"sha%d" % len(shas))
            return b"%(" + shas[-1] + b")b"
        if key in ("message", "body"):
            text = b"text%d" % len(texts)
            texts[text] = key if key == "message" else next(bodies)
            return b"%(" + text + b")b"
        return b"%(" + key.encode() + b")b"

    return Form(hole.sub(name, line), tuple(shas), tuple(texts), tuple(texts.values()))
