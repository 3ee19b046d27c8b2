"""Each way in which a store refuses is one message, soon, with the URL and what to do."""

import time

import pytest

from jepa_ray.errors import StageError, UsageError
from jepa_ray.storage import greet, read_bytes, write_bytes
from tests.evaluate.embeddings import checkpoint
from tests.prepared_corpus import JIRA, write_prepared
from tests.s3.conftest import forget_clients
from tests.s3.faulty_store import Answer
from tests.s3.guarded import guarded

pytestmark = pytest.mark.s3
SECONDS = 30
"""Far less than a minute of tries; most of it is the import of torch."""


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Raw data, windows, a checkpoint and a confirmation run, on the disk."""
    folder = tmp_path_factory.mktemp("all")
    write_prepared(folder / "p", folder / "raw", records=40)
    checkpoint(folder / "run")
    (folder / "run" / "metrics.jsonl").write_text('{"step": 0, "val_loss": 1.0, "skill": 0.1}\n')
    return folder


@pytest.fixture(scope="module")
def closed(local):
    """The same in a store that asks who one is."""
    with guarded(lambda s3: s3.upload(local, "all")) as store:
        yield store


@pytest.fixture
def as_user(closed, monkeypatch):
    """Lets this process be one of the users."""

    def become(name, **environment):
        for key, value in (closed.users[name] | environment).items():
            monkeypatch.setenv(key, value)
        forget_clients()

    yield become
    forget_clients()


def orders(root, out):
    """A command of each verb that reads below `root` and writes below `out`."""
    train = ("--processed-dir", f"{root}/p", "--storage-path", f"{out}/runs", "--run-id", "a")
    return {
        "prepare": ("prepare", "--dataset", JIRA, "--data-root", f"{root}/raw", "--processed-dir",
                    f"{out}/w", "--reports-dir", f"{out}/r", "--run-id", "a"),
        "train": ("train", "--dataset", JIRA, "--steps", 2, *train),
        "confirm": ("confirm", "--seeds", "1", *train),
        "evaluate": ("evaluate", f"{root}/run", "--processed-dir", f"{root}/p", "--batches", 1),
        "embed": ("embed", f"{root}/run", "--input", f"{root}/p", "--output", f"{out}/o.parquet"),
        "report": ("report", f"{root}/run", "--output", f"{out}/report"),
        "export": ("export", f"{root}/p", "--output", f"{out}/records", "--split-seed", 1),
        "probe": ("probe", f"{root}/run", "--processed-dir", f"{root}/p"),
    }  # fmt: skip


READERS = tuple(orders("", ""))
WRITERS = ("prepare", "train", "confirm", "embed", "report", "export")


def refused(found, began, *said):
    assert time.monotonic() - began < SECONDS
    assert found.code == 2, found.err
    assert "Traceback" not in found.err
    for text in said:
        assert text in found.err


@pytest.mark.parametrize("verb", READERS)
def test_no_permission_to_read_is_said(as_user, command, tmp_path, verb):
    as_user("nothing")
    began = time.monotonic()
    found = command(*orders("s3://guarded/all", tmp_path)[verb])
    refused(found, began, "s3://guarded/all", "these credentials may not do this", "permissions")


@pytest.mark.parametrize("verb", READERS)
def test_permission_to_list_alone_is_said(as_user, command, tmp_path, verb):
    as_user("list")
    began = time.monotonic()
    found = command(*orders("s3://guarded/all", tmp_path)[verb])
    refused(found, began, "s3://guarded/all", "these credentials may not do this", "permissions")


@pytest.mark.parametrize("verb", WRITERS)
def test_no_permission_to_write_is_said(as_user, command, local, verb):
    as_user("read")
    began = time.monotonic()
    found = command(*orders(local, "s3://guarded/out")[verb])
    refused(found, began, "s3://guarded/out", "these credentials may not do this", "permissions")


def test_an_evaluation_that_may_not_be_kept_is_shown_all_the_same(as_user, command, closed):
    as_user("read")
    found = command(*orders("s3://guarded/all", "")["evaluate"])
    assert found.code == 0, found.err


@pytest.mark.parametrize("verb", READERS)
def test_credentials_that_the_store_does_not_know_are_said(as_user, command, tmp_path, verb):
    as_user("all", AWS_ACCESS_KEY_ID="AKIAUNKNOWN")
    began = time.monotonic()
    found = command(*orders("s3://guarded/all", tmp_path)[verb])
    refused(
        found, began, "s3://guarded/all", "does not take these credentials", "AWS_ACCESS_KEY_ID"
    )


def test_a_secret_that_is_wrong_is_said_and_not_repeated(as_user, command, tmp_path):
    as_user("all", AWS_SECRET_ACCESS_KEY="canary-wrong")
    found = command(*orders("s3://guarded/all", tmp_path)["report"])
    assert found.code == 2
    assert "does not take these credentials (SignatureDoesNotMatch)" in found.err
    assert "canary" not in found.err


@pytest.mark.parametrize("verb", READERS)
def test_no_credentials_at_all_are_said(as_user, command, monkeypatch, tmp_path, verb):
    as_user("all", AWS_EC2_METADATA_DISABLED="true", HOME=str(tmp_path))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    began = time.monotonic()
    found = command(*orders("s3://guarded/all", tmp_path)[verb])
    refused(found, began, "s3://guarded/all", "there are no credentials", "docs/storage.md")


@pytest.mark.parametrize("verb", READERS)
def test_a_bucket_that_is_not_there_is_said_when_it_is_read(as_user, command, tmp_path, verb):
    as_user("all")
    began = time.monotonic()
    found = command(*orders("s3://no-such-bucket/all", tmp_path)[verb])
    refused(found, began, "s3://no-such-bucket/all", "there is no such bucket; make it")


@pytest.mark.parametrize("verb", WRITERS)
def test_a_bucket_that_is_not_there_is_said_when_it_is_written(as_user, command, local, verb):
    as_user("all")
    began = time.monotonic()
    found = command(*orders(local, "s3://no-such-bucket/out")[verb])
    refused(found, began, "s3://no-such-bucket/out", "there is no such bucket; make it")


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://127.0.0.1:9", "nothing answers at http://127.0.0.1:9"),
        ("http://no-such-host.invalid", "no host has the name in http://no-such-host.invalid"),
        ("no-scheme", "Invalid endpoint: no-scheme"),
    ],
)
@pytest.mark.parametrize("verb", READERS)
def test_an_endpoint_that_is_wrong_is_said(as_user, command, tmp_path, verb, endpoint, said):
    as_user("all", AWS_ENDPOINT_URL=endpoint)
    began = time.monotonic()
    found = command(*orders("s3://guarded/all", tmp_path)[verb])
    refused(found, began, "s3://guarded/all", said, "AWS_ENDPOINT_URL")


@pytest.mark.parametrize("page", ["Not found", "<html>Not found</html>"])
def test_an_address_that_speaks_no_s3_is_said(s3, store, page):
    store.fail([Answer(404, "", page)] * 9)
    with pytest.raises(UsageError, match="speaks no S3; correct AWS_ENDPOINT_URL"):
        greet(f"{s3.url}/a")


def test_a_bucket_of_another_region_is_said(s3, store):
    malformed = Answer(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>")
    store.fail([malformed] * 9)
    with pytest.raises(UsageError, match=r"another region .*; AWS_DEFAULT_REGION=eu-central-1"):
        greet(f"{s3.url}/a")
    with pytest.raises(UsageError, match=f"writing {s3.url}/a failed: the bucket lies in another"):
        write_bytes(f"{s3.url}/a", b"")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(403, "ExpiredToken"), r"does not take these credentials \(ExpiredToken\)"),
        (Answer(403, "RequestTimeTooSkewed"), "the clock of this machine is wrong"),
        (Answer(403, "AccessDenied"), "may not do this"),
    ],
)
def test_what_the_user_can_mend_is_a_mistake_in_the_middle_of_a_run_too(s3, store, answer, said):
    write_bytes(f"{s3.url}/a", b"")
    store.fail([answer] * 9, on="GET")
    with pytest.raises(UsageError, match=said):
        read_bytes(f"{s3.url}/a")


def test_an_answer_that_says_nothing_of_the_user_is_a_failure(s3, store):
    store.fail([Answer(400, "SomethingNew")] * 9, on="PUT")
    with pytest.raises(StageError, match=f"writing {s3.url}/a failed: the store answered Someth"):
        write_bytes(f"{s3.url}/a", b"")


def test_a_store_that_cannot_just_now_is_greeted_all_the_same(s3, store):
    store.fail([503] * 9)
    greet(f"{s3.url}/a")
