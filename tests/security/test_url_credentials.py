"""URLs with credentials are refused by every verb, and not repeated."""

import pytest

from jepa_ray.cli.job import arguments_of
from jepa_ray.errors import UsageError
from jepa_ray.storage import exists, refuse_credentials, source_path, write_bytes

CANARY = "canary7Hq"
BAD = [
    f"s3://user:{CANARY}@bucket/x",
    f"s3://user:{CANARY}/with/slashes@bucket/x",
    f"s3://:{CANARY}@bucket/x",
    f"memory://bucket/x?token={CANARY}",
    f"https://store.example/x?a=1&X-Amz-Signature={CANARY}",
    f"https://store.example/x?sig={CANARY}",
]
GOOD = [
    "s3://bucket/x",
    "s3://bucket:9000/a@b",
    "abfs://container@account.example/x",
    "https://store.example:8443/a@b?versionId=3",
    "/a:b@c/x?token=1",
    "file:///a:b@c",
    "memory://x",
]


@pytest.mark.parametrize("url", BAD)
@pytest.mark.parametrize(
    "use", [refuse_credentials, exists, source_path, lambda url: write_bytes(url, b"x")]
)
def test_credentials_in_a_url_are_refused_and_not_repeated(use, url):
    with pytest.raises(UsageError) as error:
        use(url)
    assert CANARY not in str(error.value)
    assert "AWS_ACCESS_KEY_ID" in str(error.value)


@pytest.mark.parametrize("url", GOOD)
def test_what_only_looks_like_credentials_is_let_through(url):
    refuse_credentials(url)


@pytest.mark.parametrize("url", BAD)
def test_a_job_file_with_credentials_is_refused(url):
    with pytest.raises(UsageError) as error:
        arguments_of("evaluate", {"checkpoint": url, "processed_dir": "s3://b/x"})
    assert CANARY not in str(error.value)


@pytest.mark.parametrize(
    "arguments",
    [
        ("sources", "--data-root", "URL"),
        ("prepare", "--dataset", "all", "--data-root", "URL", "--processed-dir", "P",
         "--reports-dir", "R", "--run-id", "a"),
        ("prepare", "--dataset", "blocked_sources", "--data-root", "P", "--processed-dir", "URL",
         "--reports-dir", "R", "--run-id", "a"),
        ("prepare", "--dataset", "blocked_sources", "--data-root", "P", "--processed-dir", "P",
         "--reports-dir", "URL", "--run-id", "a"),
        ("train", "--processed-dir", "URL", "--storage-path", "P", "--run-id", "a"),
        ("evaluate", "URL", "--processed-dir", "P"),
        ("inspect", "URL"),
        ("export", "URL", "--output", "P"),
        ("import", "URL", "--processed-dir", "P"),
        ("doctor", "--storage", "URL"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_verb_repeats_them(command, tmp_path, monkeypatch, arguments):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    places = {"URL": BAD[0], "P": str(tmp_path), "R": str(tmp_path / "r")}
    found = command(*(places.get(argument, argument) for argument in arguments))
    assert found.code in {1, 2}
    assert CANARY not in found.out + found.err
    assert "user and a password" in found.out + found.err
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert not [p for p in written if CANARY.encode() in p.read_bytes()]
