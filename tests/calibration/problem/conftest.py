"""A small problem as files: a reversible conversion A <-> B, whose every cell a test can change."""

from __future__ import annotations

from pathlib import Path

import pytest

from exotwin.calibration.problem import Problem, read
from exotwin.errors import InputError

MATHML = 'xmlns="http://www.w3.org/1998/Math/MathML"'
SBML = f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="conversion">
  <listOfCompartments><compartment id="cell" size="2" spatialDimensions="3" constant="true"/></listOfCompartments>
  <listOfSpecies>
    <species id="A" compartment="cell" initialConcentration="1" hasOnlySubstanceUnits="false"
      boundaryCondition="false" constant="false"/>
    <species id="B" compartment="cell" initialConcentration="0" hasOnlySubstanceUnits="false"
      boundaryCondition="false" constant="false"/>
  </listOfSpecies>
  <listOfParameters>
    <parameter id="k1" value="0.8" constant="true"/>
    <parameter id="k2" value="0.6" constant="true"/>
    <parameter id="k3" value="0.1" constant="true"/>
    <parameter id="twice" constant="true"/>
    <parameter id="unknown" constant="true"/>
    <parameter id="level" value="3" constant="false"/>
    <parameter id="total" constant="false"/>
  </listOfParameters>
  <listOfInitialAssignments>
    <initialAssignment symbol="twice"><math {MATHML}><apply><times/><cn>2</cn><ci>k1</ci></apply></math>
    </initialAssignment>
  </listOfInitialAssignments>
  <listOfRules>
    <rateRule variable="level"><math {MATHML}><ci>k3</ci></math></rateRule>
    <assignmentRule variable="total"><math {MATHML}><apply><plus/><ci>A</ci><ci>B</ci></apply></math></assignmentRule>
  </listOfRules>
  <listOfReactions>
    <reaction id="forth" reversible="false" fast="false">
      <listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
      <listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/></listOfProducts>
      <kineticLaw><math {MATHML}><apply><times/><ci>cell</ci><ci>k1</ci><ci>A</ci></apply></math></kineticLaw>
    </reaction>
    <reaction id="back" reversible="false" fast="false">
      <listOfReactants><speciesReference species="B" stoichiometry="1" constant="true"/></listOfReactants>
      <listOfProducts><speciesReference species="A" stoichiometry="1" constant="true"/></listOfProducts>
      <kineticLaw><math {MATHML}><apply><times/><ci>cell</ci><ci>k2</ci><ci>B</ci></apply></math></kineticLaw>
    </reaction>
  </listOfReactions>
</model></sbml>
"""

FILES = {
    "problem.yaml": """
format_version: 1
parameter_file: parameters.tsv
problems:
- sbml_files: [model.xml]
  condition_files: [conditions.tsv]
  measurement_files: [measurements.tsv]
  observable_files: [observables.tsv]
""",
    "model.xml": SBML,
    "parameters.tsv": """
parameterId|parameterName|parameterScale|lowerBound|upperBound|nominalValue|estimate|objectivePriorType|objectivePriorParameters
k1|forward rate|log10|0.001|10|0.8|1||
k2||log|0.001|10|0.6|1|parameterScaleNormal|-0.5;2
gain_1||lin|0|10|2|1||
gain_2||lin|0|10||1|normal|2;0.5
sd_A||lin|0.01|10|0.1|1||
shift||lin|||0.5|0||
start||lin|0|10|1.5|1||
""",
    "conditions.tsv": """
conditionId|conditionName|B|k3|level
calm|before all|0|0|
low|few|start|0.1|3
high|many|shift|shift|start
""",
    "observables.tsv": """
observableId|observableName|observableFormula|noiseFormula|observableTransformation|noiseDistribution
obs_A|A, scaled|observableParameter1_obs_A * A + shift|noiseParameter1_obs_A + 0.1 * noiseParameter2_obs_A|lin|laplace
obs_B||B|0.3|log10|
obs_total|sum|total|sd_A * total||normal
""",
    "measurements.tsv": """
observableId|preequilibrationConditionId|simulationConditionId|measurement|time|observableParameters|noiseParameters|record
obs_A|calm|low|0.7|0|gain_1|sd_A;1|first
obs_A|calm|high|0.1|10|gain_2|0.2;shift|second
obs_B||low|0.4|1e1|||third
obs_total|calm|low|1.1|inf|||
""",
}


class Files:
    """The files of a problem in a folder. Tables are written with | between cells, for the eye."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.text = folder, dict(FILES)

    def another(self, folder: str) -> Files:
        """The same problem, unchanged, in a folder beside this one."""
        return Files(self.folder.parent / folder)

    def change(self, name: str, old: str, new: str) -> Files:
        """Replace a piece of a file that stands there once."""
        assert self.text[name].count(old) == 1, f"{old!r} stands {self.text[name].count(old)} times in {name}"
        self.text[name] = self.text[name].replace(old, new)
        return self

    def line(self, name: str, number: int, cells: str) -> Files:
        """Replace a whole line, counted from 1."""
        lines = self.text[name].lstrip("\n").split("\n")
        lines[number - 1] = cells
        self.text[name] = "\n".join(lines)
        return self

    def write(self) -> Path:
        """Write all files; the path of the YAML file."""
        self.folder.mkdir(exist_ok=True)
        for name, text in self.text.items():
            told = text.lstrip("\n").replace("|", "\t") if name.endswith(".tsv") else text.lstrip("\n")
            (self.folder / name).write_text(told, encoding="utf-8")
        return self.folder / "problem.yaml"

    def read(self, **options: str) -> Problem:
        """Write and read the problem."""
        return read(self.write(), **options)

    def fault(self, kind: type[InputError] = InputError) -> InputError:
        """The one message that reading these files ends with."""
        with pytest.raises(kind) as told:
            self.read()
        assert told.value.exit_code == 2
        return told.value

    def place(self, name: str, line: int | None = None, column: str | None = None) -> str:
        """What a message should give as the place of a fault."""
        parts = [str(self.folder / name)]
        return ", ".join(parts + ([f"line {line}"] if line else []) + ([f"column {column}"] if column else []))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """The small problem, not written yet."""
    return Files(tmp_path / "problem")
