"""Writes LLVM IR as text: vectors with one virtual patient per lane, and the few control structures of a driver.

Text, since building IR objects one by one and printing them takes ten times as long as the code they describe.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

F64, I64, I1, PTR = "double", "i64", "i1", "ptr"

_ATTRIBUTES = 'nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512"'


def number(value: float) -> str:
    """A double, bit for bit."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class Code:
    """A growing module of functions. Methods return the name of the value that they compute.

    width : lanes of a vector. fma : whether the processor multiplies and adds in one rounding.
    """

    def __init__(self, width: int, *, fma: bool = True) -> None:
        self.width, self.fma = width, fma
        self.vector, self.mask, self.integers = f"<{width} x double>", f"<{width} x i1>", f"<{width} x i64>"
        self._lines: list[str] = []
        self._declared: dict[str, str] = {}
        self._count = 0
        self._block = "entry"

    def text(self) -> str:
        """The module."""
        return "\n".join([*self._declared.values(), *self._lines, ""])

    def emit(self, instruction: str) -> str:
        """One instruction with a result."""
        self._count += 1
        name = f"%v{self._count}"
        self._lines.append(f"{name} = {instruction}")
        return name

    def line(self, instruction: str) -> None:
        """One instruction without a result."""
        self._lines.append(instruction)

    def table(self, name: str, integers: Iterable[int]) -> str:
        """A constant array of integers; gives its address. The name is to be unique."""
        numbers = list(integers)
        listed = ", ".join(f"i64 {int(n)}" for n in numbers)
        self._declared[name] = f"@{name} = internal constant [{len(numbers)} x i64] [{listed}], align 8"
        return f"@{name}"

    # functions and control

    @contextmanager
    def function(self, name: str, result: str, *arguments: str, local: bool = True) -> Iterator[list[str]]:
        """A function; gives the names of its arguments. The body must end with ``leave``."""
        names = [f"%a{i}" for i in range(len(arguments))]
        listed = ", ".join(
            f"{kind} {'noalias ' if kind == PTR else ''}{n}" for kind, n in zip(arguments, names, strict=True)
        )
        self.line(f"define {'internal ' if local else ''}{result} @{name}({listed}) {_ATTRIBUTES} {{")
        self.line("entry:")
        self._block = "entry"
        yield names
        self.line("}")

    def leave(self, kind: str = "void", value: str = "") -> None:
        """Return from the function."""
        self.line(f"ret {kind} {value}".rstrip())

    def label(self) -> str:
        """A new name for a block."""
        self._count += 1
        return f"b{self._count}"

    def begin(self, label: str) -> None:
        """Start of a block."""
        self.line(f"{label}:")
        self._block = label

    def jump(self, label: str) -> None:
        """Go to a block."""
        self.line(f"br label %{label}")

    def branch(self, condition: str, yes: str, no: str) -> None:
        """Go to one of two blocks."""
        self.line(f"br i1 {condition}, label %{yes}, label %{no}")

    @contextmanager
    def loop(
        self, start: int | str, stop: int | str, carried: list[str] | None = None, *, usual: float = 1.0
    ) -> Iterator[str]:
        """``for i in range(start, stop)``; gives i.

        carried : vectors that go from turn to turn, at first their values before the loop. The body reads them from the
            list and puts its new ones there; behind the loop the list holds the last.
        usual : turns on average where the code alone does not tell, for those who count operations.
        """
        carried = [] if carried is None else carried
        before, head, body, after = self._block, self.label(), self.label(), self.label()
        self.jump(head)
        self.begin(head)
        place, first = len(self._lines), list(carried)
        index, *carried[:] = values = [self.emit("phi") for _ in range(1 + len(first))]
        inside = self.emit(f"icmp slt i64 {index}, {stop}" + (f" ; {usual:.2f}" if usual != 1.0 else ""))
        self.branch(inside, body, after)
        self.begin(body)
        yield index
        following = self.emit(f"add i64 {index}, 1")
        kinds = [I64, *[self.vector] * len(first)]
        ends = zip(values, kinds, [start, *first], [following, *carried], strict=True)
        self._lines[place : place + len(values)] = [
            f"{value} = phi {kind} [ {begin}, %{before} ], [ {end}, %{self._block} ]"
            for value, kind, begin, end in ends
        ]
        carried[:] = values[1:]
        self.jump(head)
        self.begin(after)

    @contextmanager
    def forever(self) -> Iterator[str]:
        """``while True``; gives the label behind the loop, to leave by ``leave_if``."""
        body, after = self.label(), self.label()
        self.jump(body)
        self.begin(body)
        yield after
        self.jump(body)
        self.begin(after)

    def leave_if(self, condition: str, after: str) -> None:
        """Leave a ``forever`` loop."""
        on = self.label()
        self.branch(condition, after, on)
        self.begin(on)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """``if condition:``."""
        yes, after = self.label(), self.label()
        self.branch(condition, yes, after)
        self.begin(yes)
        yield
        self.jump(after)
        self.begin(after)

    # memory

    def at(self, pointer: str, offset: int | str, *, unit: int = 1) -> str:
        """The address ``offset`` units of ``unit`` bytes behind ``pointer``."""
        if isinstance(offset, int):
            return self.emit(f"getelementptr i8, ptr {pointer}, i64 {offset * unit}") if offset else pointer
        return self.emit(f"getelementptr [{unit} x i8], ptr {pointer}, i64 {offset}")

    def load(self, kind: str, pointer: str, *, align: int | None = None) -> str:
        """Read from memory."""
        return self.emit(f"load {kind}, ptr {pointer}, align {align or self._align(kind)}")

    def store(self, kind: str, value: str, pointer: str, *, align: int | None = None) -> None:
        """Write to memory."""
        self.line(f"store {kind} {value}, ptr {pointer}, align {align or self._align(kind)}")

    def _align(self, kind: str) -> int:
        return 8 * self.width if kind in (self.vector, self.integers) else 8

    # arithmetic

    def splat(self, value: float) -> str:
        """The same constant in all lanes."""
        return f"splat (double {number(value)})"

    def broadcast(self, kind: str, value: str) -> str:
        """The same scalar in all lanes."""
        vector = f"<{self.width} x {kind}>"
        first = self.emit(f"insertelement {vector} poison, {kind} {value}, i64 0")
        return self.emit(f"shufflevector {vector} {first}, {vector} poison, <{self.width} x i32> zeroinitializer")

    def op(self, name: str, *values: str, kind: str | None = None) -> str:
        """An instruction on values of one kind, vectors of doubles if not said otherwise."""
        return self.emit(f"{name} {kind or self.vector} {', '.join(values)}")

    def muladd(self, a: str, b: str, c: str, *, kind: str | None = None) -> str:
        """a · b + c."""
        if self.fma:
            return self.intrinsic("fma", a, b, c, kind=kind)
        return self.op("fadd", self.op("fmul", a, b, kind=kind), c, kind=kind)

    def neg(self, a: str, *, kind: str | None = None) -> str:
        """Minus a."""
        return self.op("fneg", a, kind=kind)

    def compare(self, how: str, a: str, b: str, *, kind: str | None = None) -> str:
        """A mask: ``how`` is LLVM's word, "olt", "oeq", …; integers by "slt", "eq", …."""
        kind = kind or self.vector
        return self.emit(f"{'fcmp' if 'double' in kind else 'icmp'} {how} {kind} {a}, {b}")

    def select(self, condition: str, yes: str, no: str, *, kind: str | None = None) -> str:
        """Lane by lane one of two values."""
        kind = kind or self.vector
        chooser = self.mask if kind.startswith("<") else I1
        return self.emit(f"select {chooser} {condition}, {kind} {yes}, {kind} {no}")

    def larger(self, a: str, b: str) -> str:
        """The larger one; b where either is not a number."""
        return self.select(self.compare("ogt", a, b), a, b)

    def smaller(self, a: str, b: str) -> str:
        """The smaller one; b where either is not a number."""
        return self.select(self.compare("olt", a, b), a, b)

    def any(self, mask: str) -> str:
        """Whether any lane is set."""
        return self.emit(f"icmp ne i{self.width} {self.emit(f'bitcast {self.mask} {mask} to i{self.width}')}, 0")

    def intrinsic(self, name: str, *values: str, kind: str | None = None) -> str:
        """One of LLVM's own functions, such as fma, sqrt, floor."""
        kind = kind or self.vector
        suffix = f"v{self.width}f64" if kind == self.vector else "f64"
        return self.call(f"llvm.{name}.{suffix}", kind, *[(kind, v) for v in values])

    def call(self, name: str, result: str, *arguments: tuple[str, str]) -> str:
        """Call a function with a result; LLVM's and the C library's are declared on first use."""
        if name.startswith("llvm.") or name in C_LIBRARY:
            self._declared.setdefault(name, f"declare {result} @{name}({', '.join(k for k, _ in arguments)})")
        return self.emit(f"call {result} @{name}({', '.join(f'{k} {v}' for k, v in arguments)})")

    def lane_by_lane(self, name: str, *values: str) -> str:
        """A function of the C library on every lane: for those that no vector form exists of, and that are rare."""
        result = "poison"
        for lane in range(self.width):
            single = [self.emit(f"extractelement {self.vector} {v}, i64 {lane}") for v in values]
            done = self.call(name, F64, *[(F64, s) for s in single])
            result = self.emit(f"insertelement {self.vector} {result}, double {done}, i64 {lane}")
        return result


C_LIBRARY = frozenset(
    {"sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"}
    | {"erf", "log1p", "expm1", "fmod", "hypot"}
)
"""What is called lane by lane; casadi has the same names for them."""
