"""`schedule_jepa.pt`: what is saved comes back to the bit; what is damaged is refused by name."""

import io
import random
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import jepa_ray
from jepa_ray.checkpoint import FILE_NAME, load_checkpoint, load_model, save_checkpoint
from jepa_ray.config import ModelConfig, TrainConfig
from jepa_ray.errors import CheckpointError
from jepa_ray.model import ScheduleJEPA

CONFIG = TrainConfig(
    seed=5, steps=3, model=ModelConfig(d_model=8, layers=1, heads=2, mlp=8), ema=0.5
)
PROVENANCE = {"code_version": "0.1.0", "datasets": {"public_jira": "abc"}, "train_windows": 3}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def model() -> ScheduleJEPA:
    model = ScheduleJEPA(CONFIG.model, seed=5)
    with torch.no_grad():
        for parameter in model.context_encoder.parameters():
            parameter.add_(0.01)  # or both encoders would be the same
    return model


@pytest.fixture
def file(model: ScheduleJEPA, tmp_path: Path) -> Path:
    return Path(save_checkpoint(str(tmp_path), model, CONFIG, step=3, provenance=PROVENANCE))


def change(file: Path, **entries: object) -> Path:
    torch.save(torch.load(file, weights_only=True) | entries, file)
    return file


def refusal(file: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(file)
    assert str(file) in str(caught.value)
    return str(caught.value)


def test_weights_come_back_to_the_bit(file, model):
    ours, theirs = load_checkpoint(file).model.state_dict(), model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_config_step_and_provenance_come_back(file):
    found = load_checkpoint(file)
    assert (found.config, found.step, found.provenance) == (CONFIG, 3, PROVENANCE)


def test_a_setting_that_is_off_under_a_preset_is_off_when_it_is_loaded(tmp_path, model):
    config = TrainConfig.model_validate(
        {**CONFIG.model_dump(), "preset": "robust", "clip_norm": None, "mask": {"max_ratio": None}}
    )
    save_checkpoint(str(tmp_path), model, config, step=3, provenance={})
    found = load_checkpoint(tmp_path).config
    assert (found, found.clip_norm, found.mask.max_ratio) == (config, None, None)


def test_a_loaded_model_is_in_eval_mode(file):
    assert not load_model(str(file)).training


def test_the_file_holds_the_keys_that_other_programs_read(file):
    assert set(torch.load(file, weights_only=True)) == {
        "format_version", "contract_version", "config", "context_encoder", "target_encoder",
        "predictor", "step", "provenance",
    }  # fmt: skip


@pytest.mark.parametrize("end", ["", f"/{FILE_NAME}"])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_checkpoint_loads_from_its_file_or_folder_as_path_or_url(file, scheme, end):
    assert load_checkpoint(f"{scheme}{file.parent}{end}").step == 3


def test_a_checkpoint_is_saved_to_and_loaded_from_a_remote_url(model):
    folder = f"memory://{uuid.uuid4().hex}/run"
    url = save_checkpoint(folder, model, CONFIG, step=3, provenance={})
    assert url == f"{folder}/{FILE_NAME}"
    assert load_checkpoint(folder).url == url


def test_saving_again_replaces_the_file_and_leaves_nothing_else(file, model):
    save_checkpoint(str(file.parent), model, CONFIG, step=4, provenance={})
    assert load_checkpoint(file).step == 4
    assert [p.name for p in file.parent.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("wrap", [str, Path])
def test_jepa_ray_load_gives_a_model_that_embeds_windows(file, wrap):
    windows = np.zeros((3, 96, 16), np.float32)
    assert jepa_ray.load(wrap(file.parent)).embed(windows).shape == (3, 8)


def test_importing_jepa_ray_loads_neither_torch_nor_ray():
    code = "import sys, jepa_ray; sys.exit(bool({'torch', 'ray', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_absent_checkpoint_is_named(tmp_path):
    assert "no checkpoint at" in refusal(tmp_path / "nothing")
    assert "no checkpoint at" in refusal(tmp_path / "nothing.pt")


def test_a_folder_that_is_called_like_a_checkpoint_is_none(tmp_path):
    (tmp_path / "x.pt").mkdir()
    assert "no checkpoint at" in refusal(tmp_path / "x.pt")


def test_a_truncated_file_is_refused(file):
    data = file.read_bytes()
    for size in (0, 1, 100, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:size])
        assert "not a checkpoint, or damaged" in refusal(file)


@pytest.mark.parametrize("kind", ["/data/", "data.pkl"])
def test_a_flipped_bit_is_refused_with_the_entry_that_has_it(file, kind):
    data = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        entries = [info for info in archive.infolist() if kind in info.filename]
        largest = max(entries, key=lambda info: info.file_size)
        content = archive.read(largest)
    data[data.index(content) + 10] ^= 1
    file.write_bytes(data)
    assert f"damaged: the checksum of its entry {largest.filename} is wrong" in refusal(file)


def test_a_flipped_bit_anywhere_loads_the_same_weights_or_is_refused_in_our_words(file, model):
    whole, rng, weights = file.read_bytes(), random.Random(2), model.state_dict()
    for _ in range(100):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        file.write_bytes(data)
        try:
            found = load_checkpoint(file).model.state_dict()
        except CheckpointError as error:
            assert "weights_only" not in str(error)  # noqa: PT017 - padding may be flipped unseen
        else:
            assert all(torch.equal(found[key], weights[key]) for key in weights)


def test_no_garbage_makes_anything_but_a_checkpoint_error(tmp_path):
    rng = random.Random(1)
    heads = [b"", b"\x80\x02", b"PK\x03\x04", b"}", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."]
    for _ in range(300):
        (tmp_path / FILE_NAME).write_bytes(rng.choice(heads) + rng.randbytes(rng.randrange(80)))
        with pytest.raises(CheckpointError, match="not a checkpoint"):
            load_checkpoint(tmp_path)


class _Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self):
        return Path.touch, (self.proof,)


def test_code_inside_a_checkpoint_is_refused_and_does_not_run(file, tmp_path):
    proof = tmp_path / "it ran"
    assert "not a checkpoint, or damaged" in refusal(change(file, extra=_Evil(proof)))
    assert not proof.exists()


@pytest.mark.parametrize("content", [[1, 2], "text", torch.zeros(3), None])
def test_a_file_of_something_else_is_refused(file, content):
    torch.save(content, file)
    assert "is not a checkpoint: it holds a" in refusal(file)


@pytest.mark.parametrize("key", ["format_version", "contract_version"])
@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format_or_contract_is_refused_with_both_numbers(file, key, version):
    assert f"{key} is {version!r}, this version reads 1" in refusal(change(file, **{key: version}))


@pytest.mark.parametrize(
    "key", ["config", "context_encoder", "target_encoder", "predictor", "step", "provenance"]
)
def test_a_missing_key_is_named(file, key):
    document = torch.load(file, weights_only=True)
    del document[key]
    torch.save(document, file)
    assert f"it lacks {key}" in refusal(file)


@pytest.mark.parametrize("value", [None, "x", [3]])
@pytest.mark.parametrize("key", ["config", "context_encoder", "provenance", "step"])
def test_an_entry_of_another_kind_is_refused(file, key, value):
    assert "does not fit" in refusal(change(file, **{key: value}))


def test_weights_of_another_shape_are_refused(file):
    wide = ScheduleJEPA(ModelConfig(d_model=16, layers=1, heads=2, mlp=8), seed=0)
    said = refusal(change(file, predictor=wide.predictor.state_dict()))
    assert "does not fit" in said
    assert "size mismatch" in said


def test_a_missing_weight_is_named(file, model):
    weights = model.predictor.state_dict()
    del weights["head.bias"]
    assert "head.bias" in refusal(change(file, predictor=weights))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_weight_that_is_not_finite_is_named(file, model, number):
    weights = model.predictor.state_dict()
    weights["head.bias"][3] = number
    assert "predictor.head.bias holds a value that is not finite" in refusal(
        change(file, predictor=weights)
    )


@pytest.mark.parametrize("config", [{"stepz": 3}, {"steps": 0}, {"model": {"heads": 3}}])
def test_a_config_that_we_do_not_know_is_refused_without_pydantic_jargon(file, config):
    said = refusal(change(file, config=config))
    assert "does not fit: " in said
    assert "TrainConfig" not in said
    assert "pydantic" not in said


def test_an_error_shows_a_short_reason_on_one_line(file):
    said = refusal(change(file, predictor={"x" * 10_000: torch.zeros(1)}))
    assert "\n" not in said
    assert len(said) < 600


def test_saved_bytes_do_not_hold_the_memory_of_a_larger_tensor(file, model):
    with torch.no_grad():
        model.predictor.head.bias = torch.nn.Parameter(torch.zeros(100_000)[:8])
    before = file.stat().st_size
    save_checkpoint(str(file.parent), model, CONFIG, step=3, provenance=PROVENANCE)
    assert file.stat().st_size < before + 4096


def test_the_checkpoint_is_a_torch_file_that_strangers_can_open(file):
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        assert archive.testzip() is None


def test_weights_for_other_tools_are_not_taken_for_a_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match=r"pass schedule_jepa\.pt beside it"):
        load_checkpoint(tmp_path / "model.safetensors")
