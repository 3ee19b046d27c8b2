"""What the clients of object stores raise, said in a sentence with a way out of it.

By names, not by classes: a run on local disks loads none of these clients.
"""

import socket
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from jepa_ray.errors import JepaRayError, StageError, UsageError


class Fault(NamedTuple):
    """Why a store did not do what it was asked.

    Attributes:
        said: The reason.
        way_out: What to do; "" where nothing more is known.
        mistake: Whether trying again is of no use before the user has mended something.
        silent: Whether nothing was reached at all.
    """

    said: str
    way_out: str = ""
    mistake: bool = False
    silent: bool = False


_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the role of the machine hold them: "
    "see docs/storage.md"
)
_ENDPOINT = "see whether AWS_ENDPOINT_URL is right and the store is up"
_OUTAGE = "run the same command again once the store is well: what is finished is kept"

_REFUSED = Fault("the store does not take these credentials ({code})", _CREDENTIALS, mistake=True)
_FORBIDDEN = Fault(
    "these credentials may not do this ({code})",
    "see to their permissions: docs/storage.md lists those that are needed",
    mistake=True,
)
_ELSEWHERE = Fault("the bucket lies in another region ({code})", "{region} names it", mistake=True)
_NO_REASON = _FORBIDDEN._replace(
    said="these credentials may not do this, or are good no longer (the store says 403 alone)"
)
_ANSWERS = {
    "403": _NO_REASON,
    "NoSuchBucket": Fault("there is no such bucket", "make it, or correct the URL", mistake=True),
    "InvalidBucketName": Fault("no bucket can have this name", "correct the URL", mistake=True),
    "RequestTimeTooSkewed": Fault("the clock of this machine is wrong", "set it", mistake=True),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "AccountProblem"), _FORBIDDEN),
    **dict.fromkeys(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
         "InvalidSecurity", "TokenRefreshRequired"), _REFUSED,
    ),
    **dict.fromkeys(
        ("PermanentRedirect", "301", "AuthorizationHeaderMalformed", "TemporaryRedirect",
         "IllegalLocationConstraintException"), _ELSEWHERE,
    ),
}  # fmt: skip
"""By the code of the store's answer."""

_NO_KEYS = Fault("there are no credentials, or they cannot be had", _CREDENTIALS, mistake=True)
_SETTING = Fault("{text}", "see AWS_ENDPOINT_URL, AWS_DEFAULT_REGION and the URL", mistake=True)
_UNTRUSTED = Fault(
    "{place} has no TLS certificate that this machine trusts",
    "AWS_CA_BUNDLE names a file with that of its authority",
    mistake=True,
)
_NO_S3 = Fault("what answers there speaks no S3", "correct AWS_ENDPOINT_URL", mistake=True)
_UNREACHED = Fault("nothing answers at {place}", _ENDPOINT, silent=True)
_UNKNOWN = Fault("no host has the name in {place}", _ENDPOINT, mistake=True, silent=True)
_LATE = Fault("the store did not answer in time, try after try", _OUTAGE)
_DROPPED = Fault("the store dropped the connection, try after try", _OUTAGE)
_CLASSES = {
    **dict.fromkeys(("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound",
                     "CredentialRetrievalError", "TokenRetrievalError"), _NO_KEYS),
    "SSLError": _UNTRUSTED,
    "ResponseParserError": _NO_S3,
    **dict.fromkeys(("EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"),
                    _UNREACHED),
    **dict.fromkeys(("ReadTimeoutError", "TimeoutError"), _LATE),
    **dict.fromkeys(("HTTPClientError", "ClientError", "IncompleteReadError"), _DROPPED),
    **dict.fromkeys(("ValidationError", "ParamValidationError", "ConfigParseError",
                     "NoRegionError", "InvalidS3AddressingStyleError",
                     "InvalidProxiesConfigError"), _SETTING),
}  # fmt: skip
"""By the name of the class of what the client raised without an answer, or of one above it."""

_NO_CODE = "an error without a code"
_STATUSES = {"400", "404", "405", "501", _NO_CODE}
_UNKNOWN_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def explain(error: BaseException) -> Fault:
    """Say what an error of a store's client means."""
    code, response = _answer(error)
    return _of_answer(code, response) if code else _of_client(error)


def failure(doing: str, error: BaseException, way_out: str = "") -> JepaRayError:
    """The error of ours for one of a store's client.

    Args:
        doing: What was done, and where: "reading s3://a/b".
        error: What the client raised.
        way_out: What to do about a failure that is no mistake, where more is known of it.

    Returns:
        A UsageError where something has to be mended first, else a StageError.
    """
    found = explain(error)
    kind = UsageError if found.mistake else StageError
    what_to_do = found.way_out if found.mistake or not way_out else way_out
    return kind(f"{doing} failed: {found.said}; {what_to_do}")


def has_answer(error: BaseException) -> bool:
    """Whether a store said it: its answer is the cause."""
    return bool(_answer(error)[0])


def is_missing_bucket(error: BaseException) -> bool:
    """Whether it is the bucket that is not there, and not the file."""
    return _answer(error)[0] == "NoSuchBucket"


def is_forbidden(error: BaseException) -> bool:
    """Whether the credentials are good, but not for this."""
    return _ANSWERS.get(_answer(error)[0]) in (_FORBIDDEN, _NO_REASON)


def explain_greeting(error: BaseException) -> Fault:
    """The same of a listing: a store says in its document why not, a web server gives a status."""
    return _NO_S3 if _answer(error)[0] in _STATUSES else explain(error)


def _of_answer(code: str, response: dict[str, Any]) -> Fault:
    found = _ANSWERS.get(code) or Fault(f"the store answered {code}, try after try", _OUTAGE)
    return _filled(found, code=code, region=_region(response))


def _of_client(error: BaseException) -> Fault:
    names = [kind.__name__ for kind in type(error).__mro__]
    found = next((_CLASSES[name] for name in names if name in _CLASSES), None)
    if found is _UNREACHED and not resolves(error):
        found = _UNKNOWN
    if found is None and "ValueError" in names and "endpoint" in str(error):
        found = _SETTING
    if found is None:
        return Fault(getattr(error, "strerror", None) or type(error).__name__, _OUTAGE)
    return _filled(found, place=_place(error), text=" ".join(str(error).split())[:200])


def _filled(fault: Fault, **what: str) -> Fault:
    return fault._replace(said=fault.said.format_map(what), way_out=fault.way_out.format_map(what))


def _answer(error: BaseException) -> tuple[str, dict[str, Any]]:
    """Code and document of a store's answer; "" where there was none."""
    for each in causes(error):
        response = getattr(each, "response", None)
        if isinstance(response, dict) and isinstance(response.get("Error"), dict):
            return str(response["Error"].get("Code") or _NO_CODE), response
    return "", {}


def _region(response: dict[str, Any]) -> str:
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    said = response["Error"].get("Region") or headers.get("x-amz-bucket-region")
    return f"AWS_DEFAULT_REGION={said}" if said else "AWS_DEFAULT_REGION"


def _place(error: BaseException) -> str:
    """Scheme, host and port that were asked; no path, and no user."""
    asked = getattr(error, "kwargs", {}).get("endpoint_url") or ""
    found = urlsplit(str(asked))
    host = found.netloc.rpartition("@")[2]
    return f"{found.scheme}://{host}" if host else "its address"


def resolves(error: BaseException) -> bool:
    """Whether the name of the store's host is known, or may be so soon."""
    return not any(
        isinstance(each, socket.gaierror) and each.errno in _UNKNOWN_NAME for each in causes(error)
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from, the outermost first."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__
