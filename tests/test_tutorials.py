"""What the tutorial of modellers shows, carried out."""

import re
from pathlib import Path

import pytest

import exotwin as ex

PAGE = (Path(__file__).parents[1] / "docs" / "tutorials" / "modeller.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names():
    """What stands in memory behind all of its Python."""
    found = {"ex": ex}
    exec("\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)).replace("import exotwin as ex\n", ""), found)
    return found


def test_the_ensemble_of_the_tutorial_runs_to_its_end(names):
    result = names["result"]
    assert result.attrs["outcomes"] == "1000 ok"
    assert dict(result.sizes) == {"patient": 1000, "time": 105}
    assert float(result["to_liver"].max()) > 0  # the rate of a reaction, after the dose


def test_the_sensitivity_of_the_tutorial_can_be_asked_for(names):
    by = re.search(r'sensitivities=\["(\w+)"\]', PAGE)[1]
    compiled = ex.load(names["model"].sbml, sensitivities=[by])
    found = compiled.simulate([-365.0, 365.0], parameters={"reading_animal": 1.0}, outputs=["fsh"])
    assert found["sensitivity(fsh)"].dims == ("patient", "time", "wrt")
    assert list(found["wrt"].values) == [by]


def test_the_commands_of_the_tutorial_are_known():
    words = set(re.findall(r"^exotwin (\w+)", PAGE, re.MULTILINE))
    options = set(re.findall(r" (--\w+)", "\n".join(re.findall(r"^exotwin simulate.*$", PAGE, re.MULTILINE))))
    files = (Path(ex.__file__).parent / "cli").glob("*.py")
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for word in words:
        assert re.search(rf"^def {word}\(", source, re.MULTILINE), word
    for option in options:
        assert f"{option[2:]}:" in source or f'"{option}"' in source, option
