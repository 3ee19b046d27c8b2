import pytest
import torch

from jepa_ray.model.chunks import mean_by_chunks


def loss_of(weight, offset):
    return lambda x, y: (x @ weight + offset - y).square().mean()


def data(rows):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 5, generator=generator, dtype=torch.float64)
    return x, x.sum(dim=1).sin()


def parameters():
    return [
        torch.ones(5, dtype=torch.float64, requires_grad=True),
        torch.zeros(1, dtype=torch.float64, requires_grad=True),
    ]


@pytest.mark.parametrize("rows", [1, 4, 7, 10, 11])
def test_the_mean_and_its_gradient_are_those_of_the_whole(rows):
    cut, whole = parameters(), parameters()
    found = mean_by_chunks(loss_of(*cut), data(10), cut, rows=rows)
    expected = loss_of(*whole)(*data(10))
    (3 * found).backward()
    (3 * expected).backward()
    torch.testing.assert_close(found, expected)
    for one, other in zip(cut, whole, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_one_chunk_is_the_loss_itself():
    weights = parameters()
    found = mean_by_chunks(loss_of(*weights), data(10), weights, rows=10)
    assert torch.equal(found, loss_of(*weights)(*data(10)))


def test_without_gradients_there_is_only_the_mean():
    weights = parameters()
    with torch.no_grad():
        found = mean_by_chunks(loss_of(*weights), data(10), weights, rows=3)
    assert not found.requires_grad
    torch.testing.assert_close(found, loss_of(*weights)(*data(10)).detach())
