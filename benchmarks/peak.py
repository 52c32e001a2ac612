"""What the machine can do: the arithmetic peak of all cores, and how much arithmetic the networks need."""

import itertools
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.reference_loop import focal_loss, plain
from medad.detectors.ddad.asr_net import ASRNet
from medad.networks.autoencoder import AE

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Kernel:
    """A product of two n x n matrices or, with n = 0, ASR-Net's middle convolution (the 3 x 3 one of 128 channels).

    On some processors torch's fp32 matrix product does not reach what its convolutions reach.
    """

    n: int

    @property
    def name(self) -> str:
        """How it is called in tables."""
        return f"GEMM {self.n}" if self.n else "convolution"

    def prepare(self, precision: str) -> tuple[Callable[[], Tensor], float]:
        """Return the call and its number of operations, a multiplication and an addition being two."""
        dtype = DTYPES[precision]
        if self.n:
            a, b = torch.randn(2, self.n, self.n).to(dtype)
            return lambda: a @ b, 2.0 * self.n**3
        convolution = nn.Conv2d(128, 128, 3, padding=1, bias=False).to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        x = torch.randn(8, 128, 64, 64).to(dtype, memory_format=torch.channels_last)
        return lambda: convolution(x), 2.0 * 8 * 64**2 * 128 * 128 * 9


KERNELS = tuple(map(Kernel, (512, 1024, 2048, 0)))


def peaks(cores: int, seconds: float) -> dict[str, dict[str, float]]:
    """Return operations per second of all cores together, by precision and kernel, ``best`` among them.

    Parameters
    ----------
    cores : int
        Number of processes, of one thread each, that compute at the same time.
    seconds : float
        Time for each kernel.
    """
    context = multiprocessing.get_context("spawn")
    found: dict[str, dict[str, float]] = {precision: {} for precision in DTYPES}
    with context.Pool(cores, _start, (context.Barrier(cores),)) as pool:
        for precision, kernel in itertools.product(DTYPES, KERNELS):
            rates = pool.map(_rate, [(kernel, precision, seconds)] * cores, chunksize=1)
            found[precision][kernel.name] = sum(rates)
    return {precision: rates | {"best": max(rates.values())} for precision, rates in found.items()}


_barrier: list[Barrier] = []


def _start(barrier: Barrier) -> None:
    torch.set_num_threads(1)
    _barrier.append(barrier)


@torch.inference_mode()
def _rate(task: tuple[Kernel, str, float]) -> float:
    """Return operations per second of this process; every process takes one task, since all wait for each other."""
    kernel, precision, seconds = task
    call, operations = kernel.prepare(precision)
    call()
    _barrier[0].wait()
    begin, calls = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        call()
        calls += 1
    return calls * operations / (time.perf_counter() - begin)


def flops(size: int = 64) -> dict[str, float]:
    """Return the operations per image that the layers need: an AE step, an ASR-Net step, scoring by 6 AE and ASR-Net.

    A step is forward and backward; of ASR-Net without the maps that it is fed.
    """
    network, refiner = plain(AE(size)), plain(ASRNet(2))
    x, maps = torch.randn(8, 1, size, size), torch.randn(8, 2, size, size)
    target = torch.zeros(8, size, size, dtype=torch.long)
    return {
        "member_step": _count(lambda: network(x).mean.square().mean().backward()) / 8,
        "refine_step": _count(lambda: focal_loss(refiner(maps), target).backward()) / 8,
        "scoring": _count(lambda: ([network(x) for _ in range(6)], refiner(maps))) / 8,
    }


def _count(call: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()
