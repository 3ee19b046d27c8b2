"""The probe `activity`: above 0 where the embedding knows more than the time of day, else not."""

import pytest
import torch

from jepa_ray.model.activity import ActivityProbe


def probed(embedding_knows: bool, *, seed: int = 0, collapsed: bool = False) -> float:
    """Days that are busy or quiet as a whole; the embedding tells which, or is noise."""
    generator = torch.Generator().manual_seed(seed)
    busy = torch.randint(0, 2, (400, 1, 1), generator=generator).double()
    windows = torch.zeros(400, 96, 16, dtype=torch.float64)
    windows[:, 20:60, 3:4] = busy
    noise = torch.randn(400, 50, 8, generator=generator, dtype=torch.float64)
    context = noise + 3 * busy if embedding_knows else noise
    hidden = torch.stack([torch.randperm(96, generator=generator)[:46] for _ in range(400)])
    probe = ActivityProbe()
    for rows in (slice(0, 150), slice(150, 400)):
        probe.update(torch.zeros_like(context[rows]) if collapsed else context[rows],
                     windows[rows], hidden[rows])  # fmt: skip
    return probe.score()


def test_an_embedding_that_knows_what_is_hidden_scores_high():
    assert probed(embedding_knows=True) > 0.9


def test_an_embedding_of_noise_scores_about_nothing():
    assert -0.3 < probed(embedding_knows=False) < 0.05


def test_a_collapsed_encoder_scores_nothing():
    assert probed(embedding_knows=True, collapsed=True) == pytest.approx(0, abs=0.05)


def test_the_same_windows_score_the_same_bits():
    assert probed(embedding_knows=True) == probed(embedding_knows=True)


def test_a_single_window_has_no_score():
    probe = ActivityProbe()
    probe.update(torch.ones(1, 50, 8), torch.ones(1, 96, 16), torch.arange(46)[None])
    assert probe.score() == 0.0


def test_hidden_slots_where_nothing_varies_score_nothing():
    probe = ActivityProbe()
    probe.update(torch.randn(6, 50, 8), torch.ones(6, 96, 16), torch.arange(46).expand(6, 46))
    assert probe.score() == 0.0
