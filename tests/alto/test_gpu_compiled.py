"""The Triton kernels compiled ahead of time, for GPUs that need not be there."""

import re
import subprocess
from unittest import mock

import pytest
import torch

from tests.alto.kernels import PAPER, identity, in_a_process_of_its_own, tensors

pytest.importorskip("triton")


# Of an H100, per multiprocessor.
REGISTERS = 65_536
WARPS = 64


def test_ahead_of_time():
    in_a_process_of_its_own(__file__, "compiled_*", {})


@pytest.mark.parametrize(
    ("target", "dtype"),
    [
        *((("cuda", 90, 32), dtype) for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16)),
        (("hip", "gfx942", 64), torch.bfloat16),
    ],
    ids=str,
)
def compiled_for(target, dtype, monkeypatch, tmp_path):
    """Every launch of a step, with the arguments that it would be launched with."""
    import triton
    from triton.backends.compiler import GPUTarget

    from alto.engines import gpu

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    driver = mock.Mock(get_current_target=lambda: GPUTarget(*target), get_current_device=lambda: str(target))
    monkeypatch.setattr(triton.runtime.driver, "_active", driver)
    kernels = []

    def compile_only(kernel, grid):
        return lambda *arguments, **options: kernels.append(kernel.warmup(*arguments, grid=grid, **options))

    monkeypatch.setattr(triton.runtime.jit.JITFunction, "__getitem__", compile_only)
    x = tensors([2049, 3], dtype, steps=[1])
    binary, assembly = ("cubin", "ptx") if target[0] == "cuda" else ("hsaco", "amdgcn")
    try:
        gpu.explore_(x.grads, x.slow_avgs, alpha=-5.0, beta1=0.99)
        gpu.alto_step_(x, PAPER, 0.1, identity)
        gpu.alto_step_(tensors([5], dtype, explores=False), PAPER, 0.1, identity, capturable=True)
        gpu.alto_step_(tensors([2049], dtype, steps=[1], slow=torch.bfloat16), PAPER, 0.1, identity)
    except Exception as error:
        reached = sorted({path.suffix for path in tmp_path.glob("*/*kernel*")} - {".json", ".source"})
        raise AssertionError(f"no {binary}; of the stages before it these were reached: {reached}") from error
    assert [kernel.name.removesuffix("_kernel") for kernel in kernels] == [
        "explore", *3 * ["average", "norm", "apply"]
    ]  # fmt: skip
    for kernel in kernels:
        assert kernel.asm[binary]
        assert {kernel.src.signature[name] for name in ("c", "w1", "decay") if name in kernel.src.signature} <= {"fp64"}
    if binary == "cubin":
        for kernel in kernels:
            registers, stack = resources(kernel, tmp_path)
            assert stack == 0  # nothing is spilled
            # Registers are given out in eights per thread: float32 takes 64 at most, so 32 warps of 64 are there.
            warps = REGISTERS // (-(-registers // 8) * 8 * 32) // kernel.metadata.num_warps * kernel.metadata.num_warps
            assert warps >= WARPS // (4 if dtype is torch.float64 else 2)
            # A tensor may have more than 2^31 elements: the number of a chunk times 2048 is taken in 64 bits.
            if kernel.name != "norm_kernel":
                assert re.search(r"shl\.b64\s+\S+, \S+, 11;", kernel.asm[assembly])
                assert not re.search(r"shl\.b32\s+\S+, \S+, 11;", kernel.asm[assembly])
        assert ["mul.hi.u32" in kernel.asm[assembly] for kernel in kernels[1::3]] == [False, False, True]  # Philox
    if binary == "cubin" and dtype is not torch.float64:
        explore, average, _, apply, *_ = (kernel.asm[assembly] for kernel in kernels)
        for asm in (average, apply):
            assert "div.rn.f32" in asm
            assert "sqrt.rn.f32" in asm
            assert not re.search(r"(div|sqrt)\.(full|approx)", asm)
        # A full chunk: 8 elements a thread, four at a time, none of them handed from thread to thread.
        fours = ".v4.b32" if dtype is torch.float32 else ".v2.b32"
        for asm, of_params, of_states in ((explore, 2, 2), (average, 2, 6), (apply, 2, 2)):
            assert len(re.findall(r"global\S*\.v4\.b32", asm)) == 2 * (of_states + of_params * (fours == ".v4.b32"))
            assert len(re.findall(rf"global\S*\{fours}", asm)) >= 2 * of_params
            assert not re.search(r"shared\S*\.v", asm)
        # Half precision is rounded to the nearest.
        if dtype is not torch.float32:
            assert re.search(r"cvt\.rn\.b?f16", apply)


def resources(kernel, folder):
    """Registers per thread and bytes of stack, as NVIDIA's tool reads them from the machine code."""
    import triton

    file = folder / "kernel.cubin"
    file.write_bytes(kernel.asm["cubin"])
    tool = triton.knobs.nvidia.cuobjdump.path
    found = subprocess.run([tool, "-res-usage", file], check=True, capture_output=True, text=True).stdout
    registers, stack, local = (int(re.findall(rf"{name}:(\d+)", found)[-1]) for name in ("REG", "STACK", "LOCAL"))
    return registers, stack + local
