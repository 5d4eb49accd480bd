"""Numbers as a reader wants them: few digits, powers of ten, one precision for a value and its limits."""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"  # between groups of thousands and before units: never breaks the line
NOTHING = "\N{EN DASH}"  # an absent number is shown as absent, never as zero

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_WIDE = 10.0
_SMALLEST, _LARGEST = 1e-3, 1e6  # outside, powers of ten are easier to read than zeros


def number(value: float | None, *, digits: int = 3) -> str:
    """A number with ``digits`` significant digits; whole numbers below a million keep all of theirs.

    None and NaN give an en dash, infinities the sign for infinity.
    """
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value == 0:
        return "0"
    if not _SMALLEST <= abs(value) < _LARGEST:
        return _powered(value, digits=digits)
    if value == int(value):
        return _grouped(value, decimals=0)
    return _grouped(value, decimals=max(0, digits - 1 - _exponent(value, digits=digits)))


def rough(value: float) -> str:
    """Two significant digits, of large numbers too: 570 000 and not 573 879."""
    return number(float(f"{value:.2g}") if math.isfinite(value) else value, digits=2)


def together(values: Sequence[float | None], *, digits: int = 4) -> tuple[list[str], str]:
    """Numbers that are read together, such as a value and its limits, at one precision.

    Half of what they span decides: two significant digits of it, so that no digit pretends to be known. Where they span
    more than a factor of ten on one side of zero, each gets two of its own. None gets more than ``digits``.

    Returns
    -------
    (texts, power) : the texts share ``power``, which is "" or such as "× 10¹¹".
    """
    known = [v for v in values if v is not None and math.isfinite(v)]
    largest = max((abs(v) for v in known), default=0.0)
    if largest == 0:
        return [number(v) for v in values], ""
    wide = (min(known) > 0 or max(known) < 0) and largest > _WIDE * min(abs(v) for v in known)
    leading = abs(sorted(known, key=abs)[len(known) // 2]) if wide else largest
    power = 0 if _SMALLEST <= leading < _LARGEST else _exponent(leading, digits=2 if wide else 3)
    scaled = [v if v is None else v / 10.0**power for v in values]
    shown = f"×{THIN}10{superscript(power)}" if power else ""
    if wide:
        return [_own(v, largest / 10.0**power) for v in scaled], shown
    span = (max(known) - min(known)) / 2 / 10.0**power
    step = span if span > 0 else largest / 10.0**power / 10
    most = digits - 1 - _exponent(largest / 10.0**power, digits=digits)
    decimals = max(0, min(1 - _exponent(step, digits=2), most))
    return [_rounded(v, decimals=decimals) for v in scaled], shown


def tick(value: float) -> str:
    """A number at an axis: as short as it can be written."""
    rounded = float(f"{value:.4g}")
    if rounded != 0 and not _SMALLEST <= abs(rounded) < _LARGEST:
        return _powered(rounded, digits=4)
    text = f"{abs(rounded):.10f}".rstrip("0").rstrip(".")
    return _grouped(rounded, decimals=len(text.partition(".")[2]))


def superscript(power: int) -> str:
    """``-11`` as "⁻¹¹"."""
    return str(power).translate(_SUPERSCRIPTS)


def _own(value: float | None, largest: float) -> str:
    """Two significant digits, one beside a hundred times more; no powers of ten beside plain numbers."""
    if value is None or not math.isfinite(value) or not 1e-5 <= abs(value) < 1:
        return number(value, digits=2)
    digits = 1 if abs(value) < largest / 100 else 2
    return _grouped(value, decimals=digits - 1 - _exponent(value, digits=digits))


def _rounded(value: float | None, *, decimals: int) -> str:
    if value is None or not math.isfinite(value):
        return number(value)
    if value != 0 and float(f"{value:.{decimals}f}") == 0:
        return number(value, digits=1)  # "0.00" would claim a nothing that was not computed
    return _grouped(value, decimals=decimals)


def _exponent(value: float, *, digits: int) -> int:
    # through the formatted text, so that 9.996 with three digits counts as 10.0
    return int(f"{abs(value):.{digits - 1}e}".split("e")[1])


def _powered(value: float, *, digits: int) -> str:
    mantissa, power = f"{abs(value):.{digits - 1}e}".split("e")
    if float(mantissa) in (1.0, 2.0, 5.0) or digits > 3:  # round numbers, such as doses, without idle zeros
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    sign = MINUS if value < 0 else ""
    if mantissa == "1":
        return f"{sign}10{superscript(int(power))}"
    return f"{sign}{mantissa}{THIN}×{THIN}10{superscript(int(power))}"


def _grouped(value: float, *, decimals: int) -> str:
    text = f"{abs(value):.{decimals}f}"
    whole, _, part = text.partition(".")
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", THIN)
    negative = value < 0 and any(c not in "0." for c in text)
    return (MINUS if negative else "") + whole + (f".{part}" if part else "")
