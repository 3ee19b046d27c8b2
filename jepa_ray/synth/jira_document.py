"""Issues as the Jira API answers a search: what a document of the Public Jira dump looks like."""

import datetime as dt
from random import Random
from typing import Any

from bson.objectid import ObjectId

from jepa_ray.synth.population import Person, people, sentences, text, words

_FIELDS = (180, 65, 516)  # of an issue, by Jira; the true ones have from 65 to 516
_KINDS = ("null",) * 17 + ("text", "number", "option", "options", "user")
_PRIORITIES = ("Trivial", "Minor", "Major", "Critical", "Blocker")
_CHANGED = ("status", "assignee", "resolution", "Fix Version", "description", "priority", "labels")
_NULLS = (
    "aggregatetimeestimate", "aggregatetimeoriginalestimate", "aggregatetimespent", "environment",
    "lastViewed", "resolution", "resolutiondate", "security", "timeestimate",
    "timeoriginalestimate", "timespent",
)  # fmt: skip
_STAMP = "%Y-%m-%dT%H:%M:%S.000+0000"


class JiraDocuments:
    """The documents of one Jira: its people, its custom fields and their order."""

    def __init__(self, rng: Random, jira: int, fields: int | None = None) -> None:
        """Invent a Jira.

        Args:
            rng: Decides all that is open.
            jira: Its number.
            fields: How many an issue has, 65 or more; None: as the Jira of that number has.
        """
        self._rng = rng
        fields = fields or _FIELDS[jira % len(_FIELDS)]
        self._people = people(rng, 12)
        self._stock = sentences(rng, 200)
        self._host = f"https://jira{jira}.example.org/rest/api/2"
        self._offset = ("+0000", "-0500", "+0200")[jira % 3]
        standard = len(self._standard({}, "2020-01-01T00:00:00"))
        self._custom = [
            (f"customfield_{10_000 + 10 * n}", rng.choice(_KINDS)) for n in range(fields - standard)
        ]
        self._order = rng.sample(range(fields), fields)

    def hit(self, issue: dict[str, str | None]) -> dict[str, Any]:
        """The document of an issue in the normalised form."""
        created, number = str(issue["created"]), str(issue["id"]).partition(":")[2]
        custom = {name: self._value(kind) for name, kind in self._custom}
        fields = list((self._standard(issue, created) | custom).items())
        return {
            "_id": self._object_id(),
            "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
            "id": number,
            "self": f"{self._host}/issue/{number}",
            "key": issue["key"],
            "fields": dict(fields[n] for n in self._order),
            "changelog": self._changelog(created),
        }

    def no_issue(self) -> dict[str, Any]:
        """A document that is no issue: what a failed request left."""
        return {"_id": self._object_id(), "errorMessages": [words(self._rng, 6)], "errors": {}}

    def _standard(self, issue: dict[str, str | None], created: str) -> dict[str, Any]:
        rng = self._rng
        stamp = f"{created}.{rng.randrange(1000):03}{self._offset}"
        count = rng.randrange(6)
        return dict.fromkeys(_NULLS) | {
            "summary": issue.get("summary"),
            "description": issue.get("description"),
            "created": stamp,
            "updated": stamp,
            "duedate": issue.get("dueDate"),
            "priority": self._named("priority", rng.choice(_PRIORITIES)),
            "status": self._named("status", rng.choice(("Open", "Closed", "In Progress"))),
            "issuetype": self._named("issuetype", rng.choice(("Bug", "Task", "Story"))),
            "project": self._named("project", str(issue.get("key")).partition("-")[0]),
            "creator": self._user(),
            "reporter": self._user(),
            "assignee": self._user() if rng.random() < 0.6 else None,
            "labels": words(rng, 3).split()[: rng.randrange(4)],
            "components": [],
            "fixVersions": [],
            "versions": [],
            "issuelinks": [],
            "subtasks": [],
            "attachment": [],
            "watches": {"self": f"{self._host}/watchers", "watchCount": 1, "isWatching": False},
            "votes": {"self": f"{self._host}/votes", "votes": 0, "hasVoted": False},
            "progress": {"progress": 0, "total": 0},
            "aggregateprogress": {"progress": 0, "total": 0},
            "workratio": -1,
            "comment": {
                "comments": [self._comment(stamp) for _ in range(count)],
                "maxResults": count,
                "total": count,
                "startAt": 0,
            },
        }

    def _value(self, kind: str) -> Any:
        rng = self._rng
        if kind == "null" or rng.random() < 0.3:
            return None
        if kind == "text":
            return text(rng, self._stock, 2)
        if kind == "number":
            return rng.random() * 100
        option = self._named("customFieldOption", rng.choice(("Yes", "No")))
        return self._user() if kind == "user" else option if kind == "option" else [option]

    def _named(self, kind: str, name: str) -> dict[str, Any]:
        number = str(self._rng.randrange(10_000))
        link = f"{self._host}/{kind}/{number}"
        return {"self": link, "name": name, "id": number, "iconUrl": f"{link}.svg"}

    def _user(self) -> dict[str, Any]:
        person: Person = self._rng.choice(self._people)
        link = f"{self._host}/user?username={person.last.lower()}"
        return {
            "self": link,
            "name": person.last.lower(),
            "key": person.last.lower(),
            "emailAddress": person.address,
            "avatarUrls": {f"{size}x{size}": f"{link}&s={size}" for size in (48, 24, 16, 32)},
            "displayName": f"{person.first} {person.last}",
            "active": True,
        }

    def _comment(self, stamp: str) -> dict[str, Any]:
        return {
            "self": f"{self._host}/comment",
            "id": str(self._rng.randrange(10**6)),
            "author": self._user(),
            "updateAuthor": self._user(),
            "body": text(self._rng, self._stock, 6),
            "created": stamp,
            "updated": stamp,
        }

    def _changelog(self, created: str) -> dict[str, Any]:
        when = dt.datetime.fromisoformat(created)
        histories = []
        for _ in range(min(60, int(self._rng.expovariate(0.2)))):
            when += dt.timedelta(seconds=self._rng.randrange(60, 10**6))
            histories.append(self._history(when))
        total = len(histories)
        return {"startAt": 0, "maxResults": total, "total": total, "histories": histories}

    def _history(self, when: dt.datetime) -> dict[str, Any]:
        rng = self._rng
        changes = [
            {
                "field": rng.choice(_CHANGED),
                "fieldtype": "jira",
                "from": str(rng.randrange(100)),
                "fromString": words(rng, 2),
                "to": None,
                "toString": words(rng, 2),
            }
            for _ in range(rng.randint(1, 3))
        ]
        number = str(rng.randrange(10**8))
        return {
            "id": number,
            "author": self._user(),
            "created": when.strftime(_STAMP),
            "items": changes,
        }

    def _object_id(self) -> ObjectId:
        return ObjectId(self._rng.randbytes(12))
