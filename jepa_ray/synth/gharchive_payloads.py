"""Payloads of GH Archive events, with the keys, nesting and URLs of the GitHub API of 2015."""

import datetime as dt
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import msgspec

from jepa_ray.synth.gharchive_world import API, WEB, Developer, Repository, World
from jepa_ray.synth.population import text, words

MIX = {  # events of the sample hour
    "PushEvent": 5815,
    "CreateEvent": 1471,
    "WatchEvent": 1230,
    "IssueCommentEvent": 844,
    "IssuesEvent": 545,
    "PullRequestEvent": 474,
    "ForkEvent": 355,
    "DeleteEvent": 260,
    "PullRequestReviewCommentEvent": 136,
    "CommitCommentEvent": 73,
    "GollumEvent": 61,
    "ReleaseEvent": 60,
    "MemberEvent": 25,
    "PublicEvent": 2,
}
_COMMITS_SHOWN = 20  # a push lists no more, `size` still counts them all


def payload(
    kind: str, rng: Random, world: World, who: Developer, repo: Repository, moment: dt.datetime
) -> dict[str, Any]:
    """Make the payload of one event.

    Args:
        kind: One of `MIX`.
        rng: Decides all that is open.
        world: Gives texts and other people.
        who: The one who acts.
        repo: Where.
        moment: When, in UTC.
    """
    return _PAYLOADS[kind](_Scene(rng, world, who, repo, moment))


class _Scene(NamedTuple):
    """What a payload is made from."""

    rng: Random
    world: World
    who: Developer
    repo: Repository
    moment: dt.datetime

    @property
    def api(self) -> str:
        return f"{API}/repos/{self.repo.name}"

    @property
    def web(self) -> str:
        return f"{WEB}/{self.repo.name}"

    @property
    def now(self) -> str:
        return f"{self.moment:%Y-%m-%dT%H:%M:%SZ}"

    def sha(self) -> str:
        return self.rng.randbytes(20).hex()

    def earlier(self) -> str:
        """Draw a time in the hours or weeks before the event."""
        past = self.moment - dt.timedelta(hours=self.rng.expovariate(1 / 200))
        return f"{past:%Y-%m-%dT%H:%M:%SZ}"

    def text(self, mean: float) -> str:
        return text(self.rng, self.world.stock, mean)


def _push(scene: _Scene) -> dict[str, Any]:
    size = min(60, int(scene.rng.paretovariate(2.2)))
    author = {
        "email": f"{scene.sha()}@{scene.who.person.address.partition('@')[2]}",
        "name": f"{scene.who.person.first} {scene.who.person.last}",
    }
    commits = []
    for _ in range(min(size, _COMMITS_SHOWN)):
        sha = scene.sha()
        commit = {"sha": sha, "author": author, "message": scene.text(0.6), "distinct": True}
        commits.append(commit | {"url": f"{scene.api}/commits/{sha}"})
    return {
        "push_id": scene.rng.randrange(5 * 10**8, 6 * 10**8),
        "size": size,
        "distinct_size": size,
        "ref": "refs/heads/master",
        "head": commits[-1]["sha"],
        "before": scene.sha(),
        "commits": commits,
    }


def _create(scene: _Scene) -> dict[str, Any]:
    kind = scene.rng.choices(("branch", "repository", "tag"), (67, 59, 21))[0]
    ref = {"branch": words(scene.rng, 1), "repository": None, "tag": "v1.2.0"}[kind]
    about = {"master_branch": "master", "description": words(scene.rng, 7)}
    return {"ref": ref, "ref_type": kind, **about, "pusher_type": "user"}


def _delete(scene: _Scene) -> dict[str, Any]:
    kind = "branch" if scene.rng.random() < 0.8 else "tag"
    return {"ref": words(scene.rng, 1), "ref_type": kind, "pusher_type": "user"}


def _watch(_: _Scene) -> dict[str, Any]:
    return {"action": "started"}


def _issue(scene: _Scene, action: str) -> dict[str, Any]:
    number = scene.rng.randint(1, 900)
    url = f"{scene.api}/issues/{number}"
    label = {"url": f"{scene.api}/labels/later", "name": "later", "color": "fc2929"}
    return {
        "url": url,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{scene.web}/issues/{number}",
        "id": scene.rng.randrange(5 * 10**7, 6 * 10**7),
        "number": number,
        "title": words(scene.rng, scene.rng.randint(3, 9)).capitalize(),
        "user": scene.who.as_user,
        "labels": [label] if scene.rng.random() < 0.3 else [],
        "state": "closed" if action == "closed" else "open",
        "locked": False,
        "assignee": scene.who.as_user if scene.rng.random() < 0.2 else None,
        "milestone": None,
        "comments": 0 if action == "opened" else scene.rng.randint(1, 9),
        "created_at": scene.now if action == "opened" else scene.earlier(),
        "updated_at": scene.now,
        "closed_at": scene.now if action == "closed" else None,
        "body": scene.text(9),
    }


def _issues(scene: _Scene) -> dict[str, Any]:
    action = scene.rng.choices(("opened", "closed", "reopened"), (335, 194, 16))[0]
    return {"action": action, "issue": _issue(scene, action)}


def _comment(scene: _Scene, page: str) -> dict[str, Any]:
    number = scene.rng.randrange(6 * 10**7, 7 * 10**7)
    return {
        "url": f"{scene.api}/{page}/comments/{number}",
        "html_url": f"{scene.web}/{page}#comment-{number}",
        "id": number,
        "user": scene.who.as_user,
        "created_at": scene.now,
        "updated_at": scene.now,
        "body": scene.text(6),
    }


def _issue_comment(scene: _Scene) -> dict[str, Any]:
    issue = _issue(scene, "commented")
    comment = _comment(scene, "issues") | {"issue_url": issue["url"]}
    return {"action": "created", "issue": issue, "comment": comment}


def _commit_comment(scene: _Scene) -> dict[str, Any]:
    place = {"position": None, "line": None, "path": "", "commit_id": scene.sha()}
    return {"comment": _comment(scene, "commit") | place}


def _pull(scene: _Scene, action: str) -> dict[str, Any]:
    pull = _issue(scene, action)
    number = pull["number"]
    url, web = f"{scene.api}/pulls/{number}", f"{scene.web}/pull/{number}"
    for key in ("labels_url", "events_url", "labels", "comments"):
        del pull[key]
    home = scene.world.own[scene.who.number]
    ends = {
        end: {
            "label": f"{repo.owner.login}:{branch}",
            "ref": branch,
            "sha": scene.sha(),
            "user": repo.owner.as_user,
            "repo": repo.as_full,
        }
        for end, repo, branch in (
            ("head", home, words(scene.rng, 1)),
            ("base", scene.repo, "master"),
        )
    }
    parts = ("commits", "review_comments", "review_comment", "comments", "statuses")
    return {
        **pull,
        "url": url,
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": f"{scene.api}/issues/{number}",
        "merged_at": pull["closed_at"] if scene.rng.random() < 0.8 else None,
        "merge_commit_sha": scene.sha(),
        **{f"{part}_url": f"{url}/{part}" for part in parts},
        **ends,
    }


def _pull_request(scene: _Scene) -> dict[str, Any]:
    action = scene.rng.choices(("opened", "closed", "reopened"), (241, 225, 8))[0]
    pull = _pull(scene, action)
    changes = {"additions": 21, "deletions": 8, "changed_files": 2}
    return {"action": action, "number": pull["number"], "pull_request": pull | changes}


def _review_comment(scene: _Scene) -> dict[str, Any]:
    pull = _pull(scene, "commented")
    place = {"diff_hunk": scene.text(5), "path": "src/plan.txt", "position": 3}
    comment = _comment(scene, "pulls") | place | {"pull_request_url": pull["url"]}
    return {"action": "created", "comment": comment, "pull_request": pull}


def _fork(scene: _Scene) -> dict[str, Any]:
    copy = msgspec.json.decode(scene.world.own[scene.who.number].as_full)
    return {"forkee": copy | {"fork": True, "created_at": scene.now, "public": True}}


def _gollum(scene: _Scene) -> dict[str, Any]:
    page = {"page_name": "Home", "title": "Home", "summary": None, "action": "edited"}
    return {"pages": [page | {"sha": scene.sha(), "html_url": f"{scene.web}/wiki/Home"}]}


def _release(scene: _Scene) -> dict[str, Any]:
    number = scene.rng.randrange(8 * 10**5, 9 * 10**5)
    return {
        "action": "published",
        "release": {
            "url": f"{scene.api}/releases/{number}",
            "html_url": f"{scene.web}/releases/tag/v1.2.0",
            "id": number,
            "tag_name": "v1.2.0",
            "target_commitish": "master",
            "name": words(scene.rng, 2),
            "draft": False,
            "author": scene.who.as_user,
            "prerelease": False,
            "created_at": scene.earlier(),
            "published_at": scene.now,
            "assets": [],
            "tarball_url": f"{scene.api}/tarball/v1.2.0",
            "zipball_url": f"{scene.api}/zipball/v1.2.0",
            "body": scene.text(8),
        },
    }


def _member(scene: _Scene) -> dict[str, Any]:
    return {"member": scene.rng.choice(scene.world.developers).as_user, "action": "added"}


def _public(_: _Scene) -> dict[str, Any]:
    return {}


_PAYLOADS: dict[str, Callable[[_Scene], dict[str, Any]]] = {
    "PushEvent": _push,
    "CreateEvent": _create,
    "WatchEvent": _watch,
    "IssueCommentEvent": _issue_comment,
    "IssuesEvent": _issues,
    "PullRequestEvent": _pull_request,
    "ForkEvent": _fork,
    "DeleteEvent": _delete,
    "PullRequestReviewCommentEvent": _review_comment,
    "CommitCommentEvent": _commit_comment,
    "GollumEvent": _gollum,
    "ReleaseEvent": _release,
    "MemberEvent": _member,
    "PublicEvent": _public,
}
