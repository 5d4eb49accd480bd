"""exp, log and pow on whole vectors, within about one unit in the last place.

LLVM has no vector form of these: it would take the vector apart and call the C library once a lane, which costs four
to eight times as much. Everything here is the textbook way: reduce the argument, sum a Taylor series, scale back.
"""

from __future__ import annotations

from math import factorial

from exotwin.engine.kernels.emit import Code

_LOG2E = 1.4426950408889634
# ln 2 in two parts; the first has 21 trailing zero bits, so that its product with an exponent is exact.
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
_MAGIC = 6755399441055744.0  # 1.5 · 2^52: adding it rounds to an integer, which then stands in the low bits
_MAGIC_BITS = 0x4338000000000000
_TINY = 2.2250738585072014e-308  # the smallest number with all its bits
_HUGE = float("inf")
_BALANCE = 0.049  # makes the bits of a number as often too large as too small a logarithm
_NAN = float("nan")


def define(code: Code) -> None:
    """Write the functions ``exp``, ``log`` and ``pow`` (with the prefix ``vector_``) into the module."""
    with code.function("vector_exp", code.vector, code.vector) as (x,):
        code.leave(code.vector, _exp(code, x, None))
    with code.function("vector_log", code.vector, code.vector) as (x,):
        high, low = _log_in_two_parts(code, x)
        code.leave(code.vector, _log_of_special_values(code, x, code.op("fadd", high, low)))
    with code.function("vector_pow", code.vector, code.vector, code.vector) as (x, y):
        code.leave(code.vector, _pow(code, x, y))


def rough_inverse_root(code: Code, x: str, k: int) -> str:
    """x^(−1/k) for finite x >= 0 and k from 2 to 6, within half a percent: enough to choose a step by.

    A tenth of the cost of ``pow``. Read as an integer, the bits of a number go almost like its logarithm: what they are
    divided by k with shifts is a few percent off, and one step of Newton's method takes most of that away.
    """
    shifts = [s for s in range(1, 18) if 2**s // k % 2]
    parts = [_integer(code, "lshr", _bits(code, x), s) for s in shifts]
    share = parts[0]
    for part in parts[1:]:
        share = code.emit(f"add {code.integers} {share}, {part}")
    one = int((1 + sum(0.5**s for s in shifts)) * (1023 - _BALANCE) * 2**52)
    y = _number(code, code.emit(f"sub {code.integers} splat (i64 {one}), {share}"))
    power = y
    for _ in range(k - 1):
        power = code.op("fmul", power, y)
    left = code.muladd(code.neg(x), power, code.splat(k + 1.0))
    return code.op("fmul", code.op("fmul", y, left), code.splat(1 / k))


def _bits(code: Code, x: str) -> str:
    return code.emit(f"bitcast {code.vector} {x} to {code.integers}")


def _number(code: Code, bits: str) -> str:
    return code.emit(f"bitcast {code.integers} {bits} to {code.vector}")


def _integer(code: Code, operation: str, a: str, constant: int) -> str:
    return code.emit(f"{operation} {code.integers} {a}, splat (i64 {constant})")


def _polynomial(code: Code, x: str, coefficients: list[float]) -> str:
    """Sum of c_k x^k, by Horner."""
    total = code.splat(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = code.muladd(total, x, code.splat(c))
    return total


def _exp(code: Code, x: str, low: str | None) -> str:
    """e^(x + low), where low is far below the last bit of x; 0 and infinity where the result leaves the range."""
    x = code.select(code.compare("olt", x, code.splat(-746.0)), code.splat(-746.0), x)
    x = code.select(code.compare("ogt", x, code.splat(710.0)), code.splat(710.0), x)
    shifted = code.muladd(x, code.splat(_LOG2E), code.splat(_MAGIC))
    power = code.op("fsub", shifted, code.splat(_MAGIC))
    r = code.muladd(power, code.splat(-_LN2_HIGH), x)
    r = code.muladd(power, code.splat(-_LN2_LOW), r)
    if low is not None:
        r = code.op("fadd", r, low)
    # |r| <= ln(2)/2: the first term left out is below 5e-18
    tail = _polynomial(code, r, [1 / factorial(k) for k in range(2, 14)])
    result = code.op("fadd", code.muladd(code.op("fmul", r, r), tail, r), code.splat(1.0))
    # 2^power in two factors, since the power itself may lie outside the range of exponents
    whole = _integer(code, "sub", _bits(code, shifted), _MAGIC_BITS)
    half = _integer(code, "ashr", whole, 1)
    rest = code.emit(f"sub {code.integers} {whole}, {half}")
    for part in (half, rest):
        scale = _number(code, _integer(code, "shl", _integer(code, "add", part, 1023), 52))
        result = code.op("fmul", result, scale)
    return result


def _log_in_two_parts(code: Code, x: str) -> tuple[str, str]:
    """ln x = high + low for finite x > 0, right to about 2^-60."""
    small = code.compare("olt", x, code.splat(_TINY))
    bits = _bits(code, code.select(small, code.op("fmul", x, code.splat(2.0**54)), x))
    # x = 2^k · m with m between sqrt(1/2) and sqrt(2)
    moved = _integer(code, "add", bits, 0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    exponent = _integer(code, "add", _integer(code, "lshr", moved, 52), _MAGIC_BITS - 1023)
    k = code.op("fsub", _number(code, exponent), code.splat(_MAGIC))
    k = code.select(small, code.op("fsub", k, code.splat(54.0)), k)
    m = _number(code, _integer(code, "add", _integer(code, "and", moved, 0x000FFFFFFFFFFFFF), 0x3FE6A09E667F3BCD))
    # ln m = 2 artanh s = 2 (s + s^3/3 + …) with s = (m−1)/(m+1), whose rounding error is followed up
    f = code.op("fsub", m, code.splat(1.0))
    bottom = code.op("fadd", f, code.splat(2.0))
    bottom_low = code.op("fadd", code.op("fsub", code.splat(2.0), bottom), f)
    inverse = code.op("fdiv", code.splat(1.0), bottom)
    s = code.op("fmul", f, inverse)
    left = code.muladd(code.neg(s), bottom, f)
    s_low = code.op("fmul", code.muladd(code.neg(s), bottom_low, left), inverse)
    z = code.op("fmul", s, s)
    # z < 0.0295: the first term left out is below 1e-19 of the sum
    series = _polynomial(code, z, [2 / (2 * n + 1) for n in range(1, 12)])
    small_terms = code.muladd(code.op("fmul", s, z), series, code.op("fadd", s_low, s_low))
    big = code.op("fmul", k, code.splat(_LN2_HIGH))
    twice = code.op("fadd", s, s)
    total = code.op("fadd", big, twice)
    lost = code.op("fsub", twice, code.op("fsub", total, big))
    rest = code.op("fadd", lost, code.muladd(k, code.splat(_LN2_LOW), small_terms))
    high = code.op("fadd", total, rest)
    return high, code.op("fadd", code.op("fsub", total, high), rest)


def _log_of_special_values(code: Code, x: str, result: str) -> str:
    result = code.select(code.compare("oeq", x, code.splat(_HUGE)), x, result)
    result = code.select(code.compare("oeq", x, code.splat(0.0)), code.splat(-_HUGE), result)
    return code.select(code.compare("uge", x, code.splat(0.0)), code.select(_is_nan(code, x), x, result), _nan(code))


def _is_nan(code: Code, x: str) -> str:
    return code.compare("uno", x, x)


def _nan(code: Code) -> str:
    return code.splat(_NAN)


def _pow(code: Code, x: str, y: str) -> str:
    size = code.intrinsic("fabs", x)
    high, low = _log_in_two_parts(code, size)
    product = code.op("fmul", y, high)
    rest = code.muladd(y, low, code.muladd(y, high, code.neg(product)))
    # beyond these the result is 0 or infinite, and the rest may be infinity minus infinity
    inside = code.compare("olt", code.intrinsic("fabs", product), code.splat(800.0))
    result = _exp(code, product, code.select(inside, rest, code.splat(0.0)))

    zero, one = code.splat(0.0), code.splat(1.0)
    rising = code.compare("ogt", y, zero)
    result = code.select(code.compare("oeq", size, code.splat(_HUGE)), code.select(rising, size, zero), result)
    result = code.select(code.compare("oeq", size, zero), code.select(rising, zero, code.splat(_HUGE)), result)
    # a negative base has a power only for whole exponents, negative for odd ones
    whole = code.compare("oeq", code.intrinsic("floor", y), y)
    half = code.op("fmul", y, code.splat(0.5))
    odd = code.emit(f"and {code.mask} {whole}, {code.compare('one', code.intrinsic('floor', half), half)}")
    signed = code.select(odd, code.neg(result), result)
    signed = code.select(whole, signed, _nan(code))
    result = code.select(code.compare("olt", x, zero), signed, result)
    result = code.select(_is_nan(code, x), x, result)
    result = code.select(_is_nan(code, y), y, result)
    result = code.select(code.compare("oeq", x, one), one, result)
    return code.select(code.compare("oeq", y, zero), one, result)
