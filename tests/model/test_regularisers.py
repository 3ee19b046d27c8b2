import pytest
import torch
from torch.nn import functional as F

from jepa_ray.model.regularisers import sigreg, vicreg, visreg

GENERATOR_SEED = 11


def normal(windows, groups=3, width=64):
    generator = torch.Generator().manual_seed(GENERATOR_SEED)
    return torch.randn(windows, groups, width, generator=generator, dtype=torch.float64)


def directions(count=256, width=64):
    generator = torch.Generator().manual_seed(GENERATOR_SEED + 1)
    drawn = torch.randn(width, count, generator=generator, dtype=torch.float64)
    return F.normalize(drawn, dim=0)


TERMS = {
    "vicreg": vicreg,
    "sigreg": lambda z, w: sigreg(z, w, directions(width=z.shape[-1])),
    "visreg": lambda z, w: visreg(z, w, directions(width=z.shape[-1])),
}


def value(name, z, weights=None):
    weights = z.new_ones(z.shape[:2]) if weights is None else weights
    return float(TERMS[name](z, weights))


@pytest.mark.parametrize("windows", [32, 256, 512])
def test_sigreg_of_a_normal_is_1_05_for_any_number_of_windows(windows):
    assert value("sigreg", normal(windows)) == pytest.approx(1.052, abs=0.11)


@pytest.mark.parametrize("windows", [32, 512])
def test_sigreg_of_full_collapse_is_0_402_a_window(windows):
    assert value("sigreg", 0 * normal(windows)) == pytest.approx(0.402 * windows, rel=1e-3)


@pytest.mark.parametrize(("windows", "least", "most"), [(32, 1.8, 2.8), (512, 24, 32)])
def test_sigreg_sees_half_the_dimensions_dead_only_in_a_large_batch(windows, least, most):
    z = normal(windows)
    z[..., 32:] = 0
    assert least < value("sigreg", z) < most


def test_vicreg_of_a_normal_is_its_sampling_noise():
    assert value("vicreg", normal(512)) == pytest.approx(63 / 511, abs=0.03)


def test_vicreg_of_full_collapse_is_the_whole_hinge():
    assert value("vicreg", 0 * normal(32)) == pytest.approx(0.99, rel=1e-6)


def test_vicreg_charges_dimensions_that_say_the_same():
    z = normal(512, width=1).expand(-1, -1, 64)
    assert value("vicreg", z) == pytest.approx(63, rel=0.15)


def test_vicreg_equals_its_formula():
    z = normal(40, groups=1, width=5)
    covariance = torch.cov(z[:, 0].T)
    variance = covariance.diagonal()
    hinge = torch.relu(1 - torch.sqrt(variance + 1e-4)).mean()
    off = (covariance - torch.diag(variance)).square().sum() / 5
    assert value("vicreg", z) == pytest.approx(float(hinge + off), rel=1e-12)


def test_sigreg_equals_its_integral():
    z, a = normal(20, groups=1, width=5), directions(count=4, width=5)
    t = torch.linspace(-3, 3, 33, dtype=torch.float64)
    x = (z[:, 0] @ a)[..., None] * t  # [20, 4, 33]
    miss = (torch.exp(1j * x).mean(0) - torch.exp(-t.square() / 2)).abs().square()
    expected = 20 * torch.trapezoid(miss * torch.exp(-t.square() / 2), t).mean()
    assert float(sigreg(z, z.new_ones(20, 1), a)) == pytest.approx(float(expected), rel=1e-12)


def test_visreg_of_a_normal_is_small_and_of_collapse_is_two():
    assert value("visreg", normal(256)) < 0.03
    assert value("visreg", 0 * normal(256)) == pytest.approx(0.99**2 + 1, abs=0.02)


def test_visreg_equals_its_formula():
    z, a = normal(21, groups=1, width=5), directions(count=4, width=5)
    x = z[:, 0]
    std = torch.sqrt(x.var(0, unbiased=False) + 1e-4)
    sorted_x = ((x - x.mean(0)) / std @ a).sort(dim=0).values
    level = (torch.arange(21, dtype=torch.float64) + 0.5) / 21
    quantile = torch.distributions.Normal(0.0, 1.0).icdf(level)
    shape = (sorted_x - quantile[:, None]).square().mean()
    expected = x.mean(0).square().mean() + (1 - std).square().mean() + shape
    assert float(visreg(z, z.new_ones(21, 1), a)) == pytest.approx(float(expected), rel=1e-9)


def test_visreg_sees_heavy_tails_that_moments_do_not():
    z = normal(512).sign()
    assert value("visreg", z @ torch.eye(64, dtype=torch.float64)) < 0.1  # sums are nearly normal
    assert value("visreg", z[..., :1]) > 0.3


@pytest.mark.parametrize("name", TERMS)
def test_windows_of_weight_zero_do_not_count(name):
    z = normal(60)
    weights = z.new_ones(60, 3)
    weights[40:] = 0
    z[40:] = 1e3
    assert value(name, z, weights) == pytest.approx(value(name, z[:40]), rel=1e-9)


@pytest.mark.parametrize("name", TERMS)
def test_groups_are_measured_apart_and_averaged(name):
    z = normal(60)
    apart = [value(name, z[:, group : group + 1]) for group in range(3)]
    assert value(name, z) == pytest.approx(sum(apart) / 3, rel=1e-9)


@pytest.mark.parametrize("name", TERMS)
def test_a_group_of_fewer_than_two_windows_is_left_out(name):
    z, weights = normal(60), torch.ones(60, 3, dtype=torch.float64)
    weights[1:, 0] = 0
    weights[:, 1] = 0
    assert value(name, z, weights) == pytest.approx(value(name, z[:, 2:]), rel=1e-9)
    assert value(name, z, weights * 0) == 0


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("spread", [0.0, 1e-6, 1.0])
def test_gradients_are_finite_where_nothing_varies(name, spread):
    z = (normal(40) * spread).requires_grad_()
    weights = torch.ones(40, 3, dtype=torch.float64)
    weights[:39, 0] = 0
    TERMS[name](z, weights).backward()
    assert z.grad.isfinite().all()


def test_near_collapse_sigreg_hardly_pulls_and_visreg_does():
    """How fast a term falls as values of spread 0.01 are scaled up, as a share of the term."""
    pulls = {}
    for name in ("sigreg", "visreg"):
        scale = torch.tensor(0.01, dtype=torch.float64, requires_grad=True)
        z = normal(256) * scale
        term = TERMS[name](z, z.new_ones(256, 3))
        term.backward()
        pulls[name] = -float(scale.grad / term.detach())
    assert 0 < pulls["sigreg"] < 0.1
    assert pulls["visreg"] > 5 * pulls["sigreg"]


@pytest.mark.parametrize("name", TERMS)
def test_a_term_pulls_values_out_of_collapse(name):
    z = (normal(64, groups=1, width=8) * 0.05).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.05)
    before = float(TERMS[name](z.detach(), torch.ones(64, 1, dtype=torch.float64)))
    for _ in range(150):
        loss = TERMS[name](z, torch.ones(64, 1, dtype=torch.float64))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert 0.7 < float(z.detach().std(dim=0).mean()) < 1.6
    assert float(loss.detach()) < 0.1 * before
