"""One training step of preset `reference` against `nn.TransformerEncoder`, one thread each.

The peer (plain_train_step.py) is the same model with the same weights and masks, written as one
would at first, with AdamW as it comes. Both compute loss, gradients, AdamW and EMA; their losses
must agree. The share of the peak counts the multiplications of our step (a backward pass as two
forward ones) against a product of two 1024 x 1024 matrices.

    python benchmarks/bench_train_step.py [--batch 32,512] [--steps 40,6] [--no-compile]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from plain_train_step import with_weights_of
from torch import Tensor

from jepa_ray.config import MaskConfig, ModelConfig, TrainConfig
from jepa_ray.model import ScheduleJEPA, build_objective, compiled, draw_masks, hidden_count
from jepa_ray.windows import FEATURE_COUNT, SLOTS

WANTED = {32: 1.5, 512: 1.3}
Step = Callable[[int, Tensor, Tensor, Tensor], float]


def our_step(*, fused: bool) -> Step:
    config = TrainConfig()
    objective = build_objective(ScheduleJEPA(config.model, seed=0), config, seed=0)
    learned = [p for p in objective.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=config.lr, fused=True)
    if fused:
        compiled(objective)

    def step(number: int, x: Tensor, visible: Tensor, hidden: Tensor) -> float:
        loss = objective(x, visible, hidden, number).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        objective.update_target(config.ema)
        return loss.item()

    return step


def plain_step(*, fused: bool) -> Step:
    config = TrainConfig()
    model = with_weights_of(ScheduleJEPA(config.model, seed=0))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=config.lr)
    forward = torch.compile(model) if fused else model

    def step(_number: int, x: Tensor, visible: Tensor, hidden: Tensor) -> float:
        loss = forward(x, visible, hidden)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        model.update_target(config.ema)
        return loss.item()

    return step


def measure(batch: int, steps: int, arms: dict[str, Step]) -> dict[str, list[float]]:
    """Seconds of each step by arm; two steps to warm up are not counted."""
    x = torch.rand(batch, SLOTS, FEATURE_COUNT, generator=torch.Generator().manual_seed(0))
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    for number in range(steps + 2):
        masks = draw_masks(MaskConfig(), seed=0, step=number, batch=batch).tensors()
        losses = []
        for name, step in arms.items():
            began = time.perf_counter()
            losses.append(step(number, x, *masks))
            seconds[name].append(time.perf_counter() - began)
        assert max(losses) - min(losses) < 1e-3 * max(losses), losses
    return {name: found[2:] for name, found in seconds.items()}


def step_flops(config: ModelConfig, batch: int) -> float:
    """Floating-point operations of our step: two a multiplication."""
    hidden = hidden_count(MaskConfig())
    visible, d, mlp = SLOTS - hidden, config.d_model, config.mlp

    def block(tokens: int, asked: int) -> int:
        return tokens * 2 * d * d + asked * (2 * d * d + 2 * d * mlp + 2 * tokens * d)

    inner = config.layers - 1
    context = visible * FEATURE_COUNT * d + config.layers * block(visible, visible)
    target = SLOTS * FEATURE_COUNT * d + inner * block(SLOTS, SLOTS) + block(SLOTS, hidden)
    predictor = block(SLOTS, hidden) + hidden * d * d
    return 2.0 * batch * (3 * (context + predictor) + target)


def matmul_peak() -> float:
    """Operations a second of the best of 20 products."""
    a, out = torch.rand(1024, 1024), torch.empty(1024, 1024)
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        torch.mm(a, a, out=out)
        best = min(best, time.perf_counter() - began)
    return 2 * 1024**3 / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", default="32,512")
    parser.add_argument("--steps", default="40,6")
    parser.add_argument("--no-compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    peak = matmul_peak()
    print(f"matmul peak {peak / 1e9:.0f} Gflop/s, one thread")
    sizes = zip(map(int, args.batch.split(",")), map(int, args.steps.split(",")), strict=True)
    for batch, steps in sizes:
        arms = {"plain": plain_step(fused=False), "ours": our_step(fused=False)}
        if not args.no_compile:
            arms |= {
                "plain compiled": plain_step(fused=True),
                "ours compiled": our_step(fused=True),
            }
        seconds = measure(batch, steps, arms)
        wanted = f", wanted {WANTED[batch]} x" if batch in WANTED else ""
        print(f"batch {batch} (ratio against plain, not compiled{wanted})")
        for name, found in seconds.items():
            median = statistics.median(found)
            ratio = statistics.median(a / b for a, b in zip(seconds["plain"], found, strict=True))
            share = step_flops(ModelConfig(), batch) / median / peak
            of_peak = f", {share:.0%} of the peak" if name.startswith("ours") else ""
            print(f"  {name:15} {1e3 * median:8.1f} ms  {ratio:5.2f} x{of_peak}")


if __name__ == "__main__":
    main()
