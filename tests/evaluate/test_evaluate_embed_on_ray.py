"""Embeddings on Ray Data: the same files as in one process, whoever writes them."""

import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from jepa_ray.config import EmbedConfig
from jepa_ray.errors import ConfigError, CorpusError
from jepa_ray.evaluate import embed_windows
from tests.evaluate.embeddings import checkpoint, expected, files, same, vectors
from tests.prepared_corpus import JIRA, write_prepared

ON_RAY = EmbedConfig(ray_from=0, file_windows=16)


@pytest.fixture(scope="module")
def processed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    write_prepared(folder / "p", folder / "raw", records=120)
    return folder / "p"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return checkpoint(tmp_path_factory.mktemp("model"))


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_workers_on_ray_write_the_files_of_one_process_to_the_byte(processed, model, tmp_path):
    here = EmbedConfig(file_windows=16)
    embed_windows(model, str(processed), str(tmp_path / "here.parquet"), config=here)
    told = []
    result = embed_windows(
        model, str(processed), str(tmp_path / "ray.parquet"), config=ON_RAY,
        progress=lambda windows, total: told.append((windows, total)),
    )  # fmt: skip
    assert files(tmp_path / "ray.parquet") == files(tmp_path / "here.parquet")
    assert told[-1] == (120, 120)
    assert result.document["device"] == "cpu"


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_a_damaged_part_is_named_by_the_worker_that_found_it(model, tmp_path):
    write_prepared(tmp_path / "p", tmp_path / "raw", records=30)
    place = sorted((tmp_path / "p" / JIRA / "windows").iterdir())[1]
    place.write_bytes(place.read_bytes()[:300])
    with pytest.raises(CorpusError, match=f"{place.name} is missing or damaged") as error:
        embed_windows(model, str(tmp_path / "p"), str(tmp_path / "o.parquet"), config=ON_RAY)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "o.parquet").exists()


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"threads": 100}, r"100 thread\(s\) does not fit into the cluster's 4 CPUs"),
        ({"device": "cuda"}, "the cluster has no GPU"),
    ],
)
def test_what_does_not_fit_the_cluster_is_said(processed, model, tmp_path, setting, said):
    config = ON_RAY.model_copy(update=setting)
    with pytest.raises(ConfigError, match=said):
        embed_windows(model, str(processed), str(tmp_path / "o.parquet"), config=config)


def _kill_a_worker(hidden, killed):
    """Wait for the first file, then kill one of the processes that write them."""
    while not files(hidden):
        time.sleep(0.01)
    ours = psutil.Process().children(recursive=True)
    workers = [p for p in ours if "ray::MapWorker(MapBatches(Embed))" in name(p)]
    workers[0].kill()
    killed.append(workers[0].pid)


def name(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_a_killed_worker_is_replaced_and_the_table_is_whole(processed, model, tmp_path):
    out, killed = tmp_path / "o.parquet", []
    killer = threading.Thread(
        target=_kill_a_worker, args=(tmp_path / ".o.parquet.unfinished", killed)
    )
    killer.start()
    config = EmbedConfig(ray_from=0, file_windows=1, workers=2)
    embed_windows(model, str(processed), str(out), config=config)
    killer.join()
    assert killed
    assert same(vectors(out), expected(model, processed / JIRA))


def test_a_killed_driver_leaves_nothing_visible_and_the_next_goes_on(processed, model, tmp_path):
    out, hidden = tmp_path / "o.parquet", tmp_path / ".o.parquet.unfinished"
    command = [
        sys.executable, "-m", "jepa_ray", "embed", model, "--input", str(processed),
        "--output", str(out), "--set", "file_windows=1",
    ]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not files(hidden):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    done = {name: (hidden / name).stat().st_mtime_ns for name in files(hidden)}
    assert 0 < len(done) < 120
    embed_windows(model, str(processed), str(out), config=EmbedConfig(file_windows=1))
    assert {name: (out / name).stat().st_mtime_ns for name in done} == done
    assert same(vectors(out), expected(model, processed / JIRA))
    assert not hidden.exists()
