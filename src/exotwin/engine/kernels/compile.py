"""IR text → machine code for this processor, and back into memory from the stored form."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from exotwin.errors import ModelError

_WIDTHS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Processor:
    """What kernels are written for: LLVM's name and features of the processor, lanes of a vector, fused multiplying."""

    name: str
    features: str
    width: int
    fma: bool


@cache
def _host() -> tuple[str, str]:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def processor(width: int | None = None) -> Processor:
    """This machine's processor.

    width : lanes of doubles (1, 2, 4 or 8); default: EXOTWIN_WIDTH, else what the processor's registers hold.

    Raises
    ------
    ModelError : another width.
    """
    name, features = _host()
    has = set(features.split(","))
    asked = width if width is not None else os.environ.get("EXOTWIN_WIDTH")
    if asked is None:
        width = 8 if "+avx512f" in has and "+avx512dq" in has else 4 if "+avx2" in has else 2
    elif str(asked) in map(str, _WIDTHS):
        width = int(asked)
    else:
        raise ModelError("vector width", found=f"{asked} lanes", expected=f"one of {', '.join(map(str, _WIDTHS))}")
    arm = platform.machine().lower() in ("arm64", "aarch64")  # of which all fuse
    return Processor(name, features, width, "+fma" in has or arm)


def machine_code(text: str, target: Processor) -> bytes:
    """Compile a module to an object file.

    Expressions were simplified symbolically before, so that LLVM's own passes over the IR would find nothing and cost
    most of the time: only its code generator runs. At level 1, since level 2 gives the same code in half as much time
    again.
    """
    import llvmlite.binding as llvm

    _host()
    module = llvm.parse_assembly(text)
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=target.name, features=target.features, opt=1, reloc="pic", codemodel="jitdefault", jit=True
    )
    return bytes(machine.emit_object(module))


class Loaded:
    """Machine code in memory, ready to be called; freed with this object.

    Every function takes one pointer, that of its task. Calls release Python's lock, so that threads run side by side.
    """

    def __init__(self, code: bytes) -> None:
        import llvmlite.binding as llvm

        _host()
        empty = llvm.parse_assembly("")
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
        self._engine = llvm.create_mcjit_compiler(empty, machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def function(self, name: str) -> Callable[[int], None]:
        """The function of that name, taking one address; keeps the machine code alive."""
        address = self._engine.get_function_address(name)
        call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)

        def run(task: int, _alive: Loaded = self) -> None:
            call(task)

        return run
