"""An arm of the study file: a product with its regimen, comparators that are added, both, or nothing."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from exotwin.errors import StudyError
from exotwin.trial.faults import fault, fault_of, shown
from exotwin.trial.regimen import FORMS, dose_days, parse_time
from exotwin.units import parse_amount

_KINDS = {
    "cells": {"cells": "cell", "cells/kg": "cell/kg"},
    "vesicles": {"particles": "particle", "particles/kg": "particle/kg", "mL": "mL"},
}
_EQUIVALENTS = {"cell equivalents": "cell", "cell equivalents/kg": "cell/kg"}
_EQUIVALENT = re.compile(r"\bcells?[\s-]*equiv\w*")
_LARGEST_DOSE = 1e20  # of anything: beyond it lie slips of the exponent, and numbers that single precision cannot hold
_EXAMPLES = {"cells": "1e6 cells/kg", "vesicles": "1e11 particles"}
_PRODUCT = ("product", "give", "route", "dose")


def readable(name: str) -> str:
    """A name that can be read, for a validator."""
    if not name.strip() or not name.isprintable():
        raise fault(shown(name), "a name that can be read: not blank, and without control characters")
    return name


def number_or_text(value: Any) -> Any:
    """A number, or a number with its unit, for a validator."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | str)
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        raise fault(shown(value), 'a number in the unit of the model, or a number with its unit, such as "5 L"')
    return value


Name = Annotated[str, AfterValidator(readable)]
Amount = Annotated[float | str, BeforeValidator(number_or_text)]


class StudyTable(BaseModel):
    """A table of the study file: frozen, and without keys that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Added(StudyTable):
    """A comparator that an arm adds: a habit that is held, or a drug that is taken in courses.

    Whether it is held or taken, its level, unit and schedule are those of the condition's comparator unless said here.
    """

    name: Name = Field(description='a comparator of the condition, such as "exercise"')
    start: str = Field(default="0 days", description='when it begins after enrolment, such as "0 days" or "3 months"')
    stop: str | None = Field(default=None, description='when it ends, such as "6 months"; left out: with the study')
    level: Amount | None = Field(
        default=None, description="how much: a number in the comparator's unit, or one with its unit"
    )
    schedule: str | None = Field(default=None, description=FORMS)

    @property
    def begins(self) -> float:
        """Day after enrolment."""
        return parse_time(self.start, where="start")

    @property
    def ends(self) -> float:
        """Day after enrolment; infinite if it goes on to the end of the study."""
        return math.inf if self.stop is None else parse_time(self.stop, where="stop")

    @model_validator(mode="after")
    def _whole(self) -> Added:
        for key in ("start", "stop"):
            try:
                _ = self.begins if key == "start" else self.ends
            except StudyError as error:
                raise fault_of(error, key=(key,)) from error
        if self.ends <= self.begins:
            raise fault(f'"{self.stop}"', f'a time after its start, "{self.start}"', key=("stop",))
        if self.schedule is not None:
            try:
                dose_days(self.schedule, where="schedule")
            except StudyError as error:
                raise fault_of(error, key=("schedule",)) from error
        return self


class Arm(StudyTable):
    """One treatment. An arm with neither ``give`` nor ``comparators`` is left untreated."""

    product: str | None = Field(default=None, description="name of a product of this study")
    give: Literal["cells", "vesicles"] | None = Field(default=None, description='"cells" or "vesicles"')
    route: str | None = Field(default=None, description='way in, such as "intravenous"')
    dose: str | None = Field(
        default=None,
        description='"1e6 cells/kg", "1e11 particles", "1e9 particles/kg", "2 mL", "1e6 cell equivalents/kg"',
    )
    schedule: str = Field(default="once", description=FORMS)
    comparators: tuple[Added, ...] = Field(
        default=(),
        strict=False,
        description='a list such as [{ name = "exercise", start = "0 days", stop = "6 months", level = 1 }]',
    )

    @property
    def treated(self) -> bool:
        """Whether anything is given or added."""
        return self.give is not None or bool(self.comparators)

    @property
    def amount(self) -> tuple[float, str]:
        """Each dose as a number and its kind: cells, particles, cell equivalents, each also with /kg, or mL."""
        assert self.give is not None
        assert self.dose is not None
        example = _EXAMPLES[self.give]
        if self.give == "vesicles" and (found := _EQUIVALENT.search(self.dose)):
            if not re.fullmatch(r"cell[\s-]equivalents?", found[0]):
                example = "1e6 cell equivalents/kg"
                expected = f'such as "{example}"'
                raise StudyError("dose", found=f'the unit "{found[0]}"', expected=expected, nearest="cell equivalents")
            text, kinds = _EQUIVALENT.sub("cells", self.dose), _EQUIVALENTS
        else:
            text, kinds = self.dose, _KINDS[self.give]
        return parse_amount(text, where="dose", kinds=kinds, example=example, error=StudyError)

    @property
    def days(self) -> tuple[float, ...]:
        """Days of the product's doses after enrolment."""
        return dose_days(self.schedule, where="schedule") if self.give is not None else ()

    @model_validator(mode="after")
    def _whole(self) -> Arm:
        given = [k for k in _PRODUCT if getattr(self, k) is not None]
        if given and len(given) < len(_PRODUCT):
            lacking = [k for k in _PRODUCT if k not in given]
            raise fault(
                "only " + ", ".join(given),
                f"also {', '.join(lacking)}; an arm without a product has none of the four",
                key=() if lacking else given,
            )
        if not given and "schedule" in self.model_fields_set:
            raise fault("a schedule without product, give, route and dose", "all of them, or none")
        if given:
            try:
                amount, kind = self.amount
                if amount > _LARGEST_DOSE:
                    raise fault(f'"{self.dose}"', f"at most {_LARGEST_DOSE:.0e} {kind}", key=("dose",))
            except StudyError as error:
                raise fault_of(error, key=("dose",)) from error
            try:
                _ = self.days
            except StudyError as error:
                raise fault_of(error, key=("schedule",)) from error
        return self
