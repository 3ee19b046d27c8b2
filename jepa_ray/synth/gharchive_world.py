"""The accounts and repositories that a made-up GH Archive hour tells about.

The blocks that repeat in it (a user of about 900 bytes, a repository of about 4 kB) are encoded
once; keys, nesting and URLs are those of the GitHub API of 2015.
"""

from random import Random
from typing import Any, NamedTuple

import msgspec

from jepa_ray.synth.population import Person, people, sentences, words

API = "https://api.example.com"
WEB = "https://example.com"
_BEFORE = "2015-02-11T08:30:00Z"
_USER_URLS = """
    followers following{/other_user} gists{/gist_id} starred{/owner}{/repo} subscriptions orgs
    repos events{/privacy} received_events
""".split()  # noqa: SIM905  # a text of words reads better than a list
_REPOSITORY_URLS = """
    forks keys{/key_id} collaborators{/collaborator} teams hooks issue_events{/number} events
    assignees{/user} branches{/branch} tags blobs{/sha} git_tags{/sha} git_refs{/sha} trees{/sha}
    statuses/{sha} languages stargazers contributors subscribers subscription commits{/sha}
    git_commits{/sha} comments{/number} issue_comment/{number} contents/{+path}
    compare/{base}...{head} merges archive/{archive_format}{/ref} downloads issues{/number}
    pulls{/number} milestones{/number} notifications{?since,all,participating} labels{/name}
    releases{/id}
""".split()  # noqa: SIM905  # a text of words reads better than a list


class Developer(NamedTuple):
    """An account: a person or an organisation, with its two forms in JSON."""

    number: int
    person: Person
    login: str
    organisation: bool
    as_actor: msgspec.Raw
    as_user: msgspec.Raw


class Repository(NamedTuple):
    """A repository with its owner and its two forms in JSON."""

    name: str
    owner: Developer
    as_named: msgspec.Raw
    as_full: msgspec.Raw


class World:
    """Everybody and every repository of one archive; its size does not depend on the events."""

    def __init__(self, rng: Random, *, developers: int) -> None:
        accounts = people(rng, developers + developers // 8 + 1, clock_shifts=(-9, -1, 0, 5, 7))
        everybody = [
            _developer(number, person, organisation=number >= developers)
            for number, person in enumerate(accounts)
        ]
        self.developers = everybody[:developers]
        self.stock = sentences(rng, 300)
        self.own = [_repository(rng, who) for who in self.developers]
        self.shared = [
            _repository(rng, everybody[developers + number % (len(everybody) - developers)])
            for number in range(1 + developers // 4)
        ]

    def repository(self, rng: Random, who: Developer) -> Repository:
        """Choose where a developer acts: at home, for an organisation, or at somebody else's."""
        place = rng.random()
        if place < 0.5:
            return self.own[who.number]
        if place < 0.79:
            return self.shared[(who.number + int(rng.expovariate(0.5))) % len(self.shared)]
        return rng.choice(self.own)


def _developer(number: int, person: Person, *, organisation: bool) -> Developer:
    login = f"{person.first}-{person.last}".lower()
    account = 1_000_000 + number * 37
    avatar = f"https://avatars.example.com/u/{account}?"
    route = "orgs" if organisation else "users"
    actor = {"id": account, "login": login, "gravatar_id": "", "url": f"{API}/{route}/{login}"}
    actor |= {"avatar_url": avatar}
    user = {"login": login, "id": account, "avatar_url": f"{avatar}v=3", "gravatar_id": ""}
    user |= {"url": f"{API}/users/{login}", "html_url": f"{WEB}/{login}"}
    names = (route.partition("{")[0].replace("orgs", "organizations") for route in _USER_URLS)
    urls = zip(names, _USER_URLS, strict=True)
    user |= {f"{name}_url": f"{API}/users/{login}/{route}" for name, route in urls}
    user |= {"type": "Organization" if organisation else "User", "site_admin": False}
    return Developer(number, person, login, organisation, _raw(actor), _raw(user))


def _repository(rng: Random, owner: Developer) -> Repository:
    short = words(rng, 2).replace(" ", "-")
    name = f"{owner.login}/{short}"
    number, stars = rng.randrange(10**7, 4 * 10**7), int(rng.lognormvariate(1, 2))
    api, web = f"{API}/repos/{name}", f"{WEB}/{name}"
    full = {"id": number, "name": short, "full_name": name, "owner": owner.as_user}
    full |= {"private": False, "html_url": web, "description": words(rng, 9), "fork": False}
    full |= {"url": api}
    for route in _REPOSITORY_URLS:
        key = route.partition("{")[0].strip("/")
        path = key.replace("git_", "git/").replace("issue_", "issues/")
        full[f"{key}_url"] = f"{api}/{path}{route[len(key) :]}"
    full |= dict.fromkeys(("created_at", "updated_at", "pushed_at"), _BEFORE)
    full |= {"git_url": f"git://example.com/{name}.git", "ssh_url": f"git@example.com:{name}.git"}
    full |= {"clone_url": f"{web}.git", "svn_url": web, "homepage": "", "size": stars * 9}
    full |= {"stargazers_count": stars, "watchers_count": stars, "language": None}
    full |= {f"has_{part}": True for part in ("issues", "downloads", "wiki", "pages")}
    full |= {"forks_count": 1, "mirror_url": None, "open_issues_count": 0, "forks": 1}
    full |= {"open_issues": 0, "watchers": stars, "default_branch": "master"}
    return Repository(name, owner, _raw({"id": number, "name": name, "url": api}), _raw(full))


def _raw(value: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
