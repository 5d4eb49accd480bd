"""The study file: what is compared, in whom, for how long. See ``examples/poi-umbilical.toml``."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from exotwin.errors import StudyError, nearest
from exotwin.tables import neighbour, read_text, read_toml
from exotwin.trial.arm import Added, Amount, Arm, Name, StudyTable
from exotwin.trial.faults import fault, fault_of, place, shown, study_error
from exotwin.trial.regimen import parse_span

Reading = Literal["animal", "animal untranslated", "copies"]

READINGS: tuple[Reading, ...] = get_args(Reading)
Combination = Literal["bliss", "highest single", "additive"]

_READING = 'one of "animal", "animal untranslated", "copies"'
_DEFAULT_DRAWS = 50
_LONGEST_DAYS = 100 * 365.25


def _one_reading(value: Any) -> Any:
    if not isinstance(value, str):
        raise fault(
            shown(value), f"{_READING}; a study names one reading, and the others are reported beside it without asking"
        )
    return value


class Age(StudyTable):
    """Age at enrolment in years: normal between ``min`` and ``max``, cut off there."""

    mean: float = Field(gt=0, description="mean age in years, such as 33")
    sd: float = Field(ge=0, description="standard deviation in years, such as 4")
    min: float = Field(ge=0, description="youngest age in years, such as 18")
    max: float = Field(gt=0, description="oldest age in years, such as 40")

    @model_validator(mode="after")
    def _rising(self) -> Age:
        if not self.min <= self.mean <= self.max or self.min == self.max:
            raise fault(
                f"min {self.min:g}, mean {self.mean:g}, max {self.max:g}", "min < max, and the mean between them"
            )
        return self


class Population(StudyTable):
    """Who is enrolled, and how many draws of what is not known they are spread over."""

    n_patients: int = Field(ge=4, le=10_000_000, description="number of virtual patients to enrol, such as 1000")
    n_draws: int = Field(
        ge=2,
        le=10_000,
        description="number of joint draws of what is not known, such as 50; at least two patients each",
    )
    age: Age | None = Field(
        default=None,
        description="age at enrolment, such as { mean = 33, sd = 4, min = 18, max = 40 }; left out: the model's own",
    )

    @model_validator(mode="before")
    @classmethod
    def _default_draws(cls, data: Any) -> Any:
        n_patients = data.get("n_patients") if isinstance(data, dict) else None
        if isinstance(n_patients, int) and "n_draws" not in data:
            return {**data, "n_draws": max(2, min(_DEFAULT_DRAWS, n_patients // 4))}
        return data

    @model_validator(mode="after")
    def _enough(self) -> Population:
        if self.n_patients < 2 * self.n_draws:
            raise fault(
                f"{self.n_draws} draws for {self.n_patients} patients",
                f"at least two patients a draw, such as n_draws = {max(2, self.n_patients // 4)}",
                key=("n_draws",),
            )
        return self


class ProductFile(StudyTable):
    """Where a product is described; the path is relative to the study file."""

    file: Path = Field(strict=False, description='path of a product file, such as "umbilical/product.toml"')

    @field_validator("file")
    @classmethod
    def _there(cls, value: Path, info: ValidationInfo) -> Path:
        path = (info.context["folder"] / value).resolve() if info.context else value.resolve()
        if not os.path.isfile(path):  # unlike Path.is_file, False for whatever cannot be a path
            what = "a folder" if os.path.isdir(path) else "no such file"
            raise fault(f'"{value}": {what}', f"a file at {path}", close=neighbour(path))
        return path


class Endpoint(StudyTable):
    """An observable at stated times after enrolment. Endpoints of a study stand in place of the condition's own."""

    observable: str = Field(description='an observable of the condition, such as "amh"')
    at: tuple[str, ...] = Field(strict=False, description='times such as ["6 months", "1 year"]')
    kind: Literal["value", "change", "ratio", "share"] = Field(
        default="value", description='"value", "change", "ratio" or "share"'
    )
    better: Literal["higher", "lower"] = Field(description='which way is better: "higher" or "lower"')
    threshold: float | None = Field(
        default=None, description="kind share: patients count from this value on, in the observable's unit"
    )

    @field_validator("at", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @property
    def days(self) -> tuple[float, ...]:
        """Times after enrolment, rising."""
        return tuple(sorted(parse_span(text, where="at") for text in self.at))

    @model_validator(mode="after")
    def _whole(self) -> Endpoint:
        if not self.at:
            raise fault("no time", 'times such as ["6 months", "1 year"]', key=("at",))
        try:
            days = self.days
        except StudyError as error:
            raise fault_of(error, key=("at",)) from error
        if len(set(days)) < len(days):
            raise fault(f"the same time twice in {list(self.at)}", "each time once", key=("at",))
        if (self.kind == "share") != (self.threshold is not None):
            raise fault(
                f'kind "{self.kind}" {"without" if self.threshold is None else "with"} a threshold',
                'a threshold with kind "share", and only there',
                key=("threshold",),
            )
        return self


class Solver(StudyTable):
    """Tolerances of the integration: relative, and absolute in the unit of each state (left out: the engine's rule)."""

    rtol: float = Field(default=1e-6, ge=1e-12, le=1e-2, description="relative tolerance, such as 1e-6")
    atol: float | None = Field(default=None, gt=0, description="absolute tolerance, such as 1e-9")


class Study(StudyTable):
    """A whole study, checked; made by `from_toml` alone."""

    title: Name = Field(description="a title")
    condition: str = Field(description='a condition, such as "poi"')
    species: str = Field(default="human", description="human, mouse or rat")
    horizon: str = Field(description='how long patients are followed, such as "2 years"')
    seed: int = Field(ge=0, le=2**63 - 1, description="a whole number that fixes all that is drawn")
    potency: Annotated[Reading, BeforeValidator(_one_reading)] = Field(default="animal", description=_READING)
    combination: Combination = Field(
        default="bliss",
        description='how several mediators act on one process: "bliss", "highest single" or "additive"',
    )
    population: Population = Field(description="a table [population]")
    products: dict[Name, ProductFile] = Field(default={}, description='a table a product: file = "…"')
    arms: dict[Name, Arm] = Field(min_length=2, description="a table an arm, at least two")
    comparator: str = Field(description="the arm that the others are compared to")
    endpoints: dict[Name, Endpoint] = Field(default={}, description="a table an endpoint")
    solver: Solver = Field(default=Solver(), description="a table [solver] with rtol and atol")
    parameters: dict[str, Amount] = Field(
        default={}, description='model parameters to fix, such as translation = 1 or blood_volume = "5 L"'
    )
    _path: Path = PrivateAttr(default=Path("study.toml"))
    _text: str = PrivateAttr(default="")

    @classmethod
    def from_toml(cls, path: str | Path) -> Study:
        """Read and check a study file; the products' paths are relative to it.

        Raises
        ------
        StudyError : anything in the file that cannot be meant; names file, line, key and the nearest valid name.
        """
        path = Path(path)
        data, text = read_toml(path, error=StudyError), read_text(path, error=StudyError)
        try:
            study = cls.model_validate(data, context={"folder": path.parent})
        except ValidationError as error:
            # One fault is enough, and a misspelt key explains the one that then seems missing.
            faults = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
            raise study_error(faults[0], cls, path=path, text=text) from error
        study._path, study._text = path, text
        return study

    @property
    def path(self) -> Path:
        """The file that the study was read from."""
        return self._path

    @property
    def horizon_days(self) -> float:
        """Days from enrolment to the end."""
        return parse_span(self.horizon, where="horizon")

    def where(self, *key: str) -> str:
        """File, line and key of an entry, for messages."""
        return place(self._path, self._text, key)

    def _repr_html_(self) -> str:
        said = f"{self.condition}, {self.species}; {self.population.n_patients} virtual patients, {self.horizon}"
        rows = ""
        for name, arm in self.arms.items():
            added = ", ".join(a.name for a in arm.comparators)
            given = (arm.product, arm.give, arm.route, arm.dose, arm.schedule if arm.give else None, added)
            rows += "<tr>" + "".join(f"<td>{escape(cell or '')}</td>" for cell in (name, *given)) + "</tr>"
        names = ("arm", "product", "give", "route", "dose", "schedule", "comparators")
        heads = "".join(f"<th>{head}</th>" for head in names)
        about = f"<p><b>{escape(self.title)}</b><br>{escape(said)}; reading: {self.potency}, seed {self.seed}</p>"
        return f"{about}<table><tr>{heads}</tr>{rows}</table>"

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        try:
            horizon = self.horizon_days
        except StudyError as error:
            raise fault_of(error, key=("horizon",)) from error
        if horizon > _LONGEST_DAYS:
            raise fault(f'"{self.horizon}"', f"at most {_LONGEST_DAYS / 365.25:g} years", key=("horizon",))
        if self.comparator not in self.arms:
            raise fault(
                f'"{self.comparator}"',
                "one of the arms " + ", ".join(self.arms),
                close=nearest(self.comparator, self.arms),
                key=("comparator",),
            )
        for name, arm in self.arms.items():
            if arm.product is not None and arm.product not in self.products:
                raise fault(
                    f'the product "{arm.product}"',
                    "one of the products " + (", ".join(self.products) or "of this study, which has none"),
                    close=nearest(arm.product, self.products),
                    key=("arms", name, "product"),
                )
            if arm.days and arm.days[-1] >= horizon:
                raise fault(
                    f"a dose on day {arm.days[-1]:g}",
                    f"doses before the horizon, day {horizon:g}",
                    key=("arms", name, "schedule"),
                )
            for k, added in enumerate(arm.comparators):
                _within(added, horizon, ("arms", name, "comparators", str(k)))
        for name, endpoint in self.endpoints.items():
            if endpoint.days[-1] > horizon:
                raise fault(
                    f"day {endpoint.days[-1]:g}", f"times up to the horizon, day {horizon:g}", key=("endpoints", name)
                )
        return self


def _within(added: Added, horizon: float, key: tuple[str, ...]) -> None:
    if added.begins >= horizon:
        raise fault(f'"{added.start}"', f"a start before the horizon, day {horizon:g}", key=(*key, "start"))
    if added.stop is not None and added.ends > horizon:
        raise fault(f'"{added.stop}"', f"a time up to the horizon, day {horizon:g}", key=(*key, "stop"))
