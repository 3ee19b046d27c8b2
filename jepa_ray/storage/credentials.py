"""URLs carry no credentials: what is never taken in is never written to a log or a manifest."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

from jepa_ray.errors import UsageError

# user:password@, where the password may hold slashes; but not host:8080/a@b.
_PASSWORD = re.compile(r"://[^/?#@:]*:(?!\d+(?:/|$))[^@]*@")
_SECRET_KEY = re.compile(
    r"(?i)token|secret|passw|signature|credential|(?:^|[-_])(?:key|sig)$|apikey"
)


def refuse_credentials(url: str | Path) -> None:
    """Refuse a URL with a password or a secret in its query.

    Raises:
        UsageError: It has one; the message does not.
    """
    text = str(url)
    if "://" not in text:
        return
    address, _, query = text.partition("?")
    keys = [key for key, _ in parse_qsl(query, keep_blank_values=True) if _SECRET_KEY.search(key)]
    if not keys and not _PASSWORD.search(text):
        return
    what = f"the query has {', '.join(keys)}" if keys else "it has a user and a password"
    raise UsageError(
        f"{_PASSWORD.sub('://***@', address)}: {what}, and a URL is written to logs and manifests; "
        "give the URL alone: the standard environment of the store holds the credentials "
        "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of the machine)"
    )
