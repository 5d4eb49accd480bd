"""One shape for every error that a user may see: where, what was found, what was expected, the nearest valid name.

Raised where the fault is known, shown by the command line without traceback. `InputError` and its children mean that
something the user gave is wrong (exit code 2); any other `ExotwinError` means that the work itself failed (exit 1).
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ExotwinError(Exception):
    """A failure told in one message.

    Parameters
    ----------
    where : place of the fault: file and key, file and line, or the object's name, e.g. ``"study.toml, arms.msc.dose"``.
    found : what stands there.
    expected : what should stand there, with an example where that helps.
    nearest : the valid name that is closest to what was found, or None.
    """

    exit_code = 1

    def __init__(self, where: str, *, found: str, expected: str, nearest: str | None = None) -> None:
        self.where, self.found, self.expected, self.nearest = where, found, expected, nearest
        lines = [where, f"  found     {found}", f"  expected  {expected}"]
        if nearest is not None:
            lines.append(f'  nearest   "{nearest}"')
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive pickling by default, and workers must be able to send errors home.
        return _rebuild, (type(self), self.where, self.found, self.expected, self.nearest)


def _rebuild(kind: type[ExotwinError], where: str, found: str, expected: str, nearest: str | None) -> ExotwinError:
    return kind(where, found=found, expected=expected, nearest=nearest)


class InputError(ExotwinError):
    """Something that the user gave is wrong."""

    exit_code = 2


class ProductError(InputError):
    """A product file or an instrument file cannot be read as what it claims to be."""


class MechanismError(InputError):
    """The table of mediators, targets and processes is inconsistent, or names what does not exist."""


class BiologyError(InputError):
    """A module, a parameter table, a condition or a species is missing or inconsistent."""


class ModelError(InputError):
    """An SBML document cannot be read, or holds what the engine does not run; names the element."""


class StudyError(InputError):
    """A study file is wrong."""


class CalibrationError(ExotwinError):
    """A fit could not be carried out."""


class EvidenceError(InputError):
    """A record, a check or a claim is inconsistent, or does not exist."""


class ReportError(InputError):
    """A report or figure cannot be made."""


class NotBuiltYet(InputError):
    """Part of the design that this version does not have; says so instead of pretending."""


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The entry of ``valid`` that is spelled most like ``name`` (letter case ignored), or None if none comes near."""
    by_lower = {v.lower(): v for v in valid}
    close = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[close[0]] if close else None
