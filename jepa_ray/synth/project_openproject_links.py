"""What surrounds a work package in OpenProject's API v3: links, and resources in bodies."""

from collections.abc import Collection
from typing import Any

_SUBJECT_LINKS = {  # what stands below a work package: path by name of the link
    "attachments": "attachments", "activities": "activities", "relations": "relations",
    "revisions": "revisions", "watchers": "watchers", "availableWatchers": "available_watchers",
    "availableRelationCandidates": "available_relation_candidates",
}  # fmt: skip
_NOT_SET = ("category", "responsible", "version", "parent")
_MEMBERS = {"type": "Type", "priority": "Priority", "status": "Status", "project": "Project"}
_DEFAULTS = {"Task", "Normal", "New"}


def linked(resource: str, name: str, number: int | None, title: str | None) -> dict[str, Any]:
    """Link to one resource under a name; null where there is none."""
    href = None if number is None else f"/api/v3/{resource}/{number}"
    return {name: {"href": href, "title": title} if href else {"href": None}}


def action_links(number: int, subject: str, project: str) -> dict[str, Any]:
    """List what one may do with a work package, and what is not set."""
    api, web = f"/api/v3/work_packages/{number}", f"/work_packages/{number}"
    found: dict[str, Any] = {
        "self": {"href": api, "title": subject},
        "update": {"href": f"{api}/form", "method": "post"},
        "updateImmediately": {"href": api, "method": "patch"},
        "delete": {"href": api, "method": "delete"},
        "logTime": {"href": f"{web}/time_entries/new", "title": f"Log time on {subject}"},
        "move": {"href": f"{web}/move/new", "type": "text/html", "title": f"Move {subject}"},
        "copy": {"href": f"{web}/copy", "title": f"Copy {subject}"},
        "pdf": {"href": f"{web}.pdf", "type": "application/pdf", "title": "Export as PDF"},
        "addWatcher": {
            "href": f"{api}/watchers",
            "method": "post",
            "payload": {"user": {"href": "/api/v3/users/{user_id}"}},
            "templated": True,
        },
        "addChild": {"href": f"/api/v3/projects/{project}/work_packages", "method": "post"},
        "addComment": {"href": f"{api}/activities", "method": "post", "title": "Add comment"},
        "ancestors": [],
        "customActions": [],
    }
    found |= {name: {"href": f"{api}/{path}"} for name, path in _SUBJECT_LINKS.items()}
    return found | {name: {"href": None} for name in _NOT_SET}


def embedded(links: dict[str, Any], closed: Collection[str]) -> dict[str, Any]:
    """Repeat linked resources in full, as single bodies do.

    Args:
        links: The `_links` of a work package.
        closed: Names of the statuses that mean it is done.
    """
    found: dict[str, Any] = {}
    for name, kind in _MEMBERS.items():
        href, title = links[name]["href"], links[name]["title"]
        number = int(href.rpartition("/")[2])
        found[name] = {"_type": kind, "id": number, "name": title, "position": number}
        found[name]["_links"] = {"self": {"href": href, "title": title}}
        if name != "project":
            found[name]["isDefault"] = title in _DEFAULTS
    found["type"]["isMilestone"] = links["type"]["title"] == "Milestone"
    found["status"]["isClosed"] = links["status"]["title"] in closed
    return found | {"customActions": []}
