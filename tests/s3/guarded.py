"""A store that asks who one is: users of moto's IAM with one permission or another."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.session import get_session

from tests.s3.conftest import S3, serving

MAY = {
    "all": ["s3:*"],
    "read": ["s3:GetObject", "s3:ListBucket"],
    "list": ["s3:ListBucket"],
    "nothing": [],
}
"""What each user may do."""


@dataclass(frozen=True)
class Guarded:
    """The bucket, and environments of users that reach it."""

    s3: S3
    users: dict[str, dict[str, str]]


@contextmanager
def guarded(fill: Callable[[S3], None]) -> Iterator[Guarded]:
    """A server of its own with a bucket, and the users of `MAY`; it is closed once it is filled."""
    with serving() as endpoint:
        s3 = S3(endpoint, "guarded")
        fill(s3)
        iam = get_session().create_client(
            "iam", "us-east-1", endpoint_url=endpoint,
            aws_access_key_id="tester", aws_secret_access_key="canary",
        )  # fmt: skip
        users = {name: s3.environment | _user(iam, name, actions) for name, actions in MAY.items()}
        iam.close()
        plain = {"Content-Type": "text/plain"}
        close = urllib.request.Request(f"{endpoint}/moto-api/reset-auth", b"0", plain)
        urllib.request.urlopen(close).close()
        yield Guarded(s3, users)


def _user(iam: Any, name: str, actions: list[str]) -> dict[str, str]:
    iam.create_user(UserName=name)
    if actions:
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
        }
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]
    }  # fmt: skip
