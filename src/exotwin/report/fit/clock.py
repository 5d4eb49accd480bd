"""The unit of time of an SBML model, for axes."""

from __future__ import annotations

import xml.etree.ElementTree as ET

_NAMES = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "d", 604800.0: "weeks", 31557600.0: "years"}


def time_axis(sbml: str) -> str:
    """``time`` with the unit that the document states, such as "time (min)"; alone where it states none that is known.

    A document of level 2 that does not define its ``time`` means seconds by the letter, and seldom in fact: nothing is
    claimed then.
    """
    root = ET.fromstring(sbml)
    model = next((e for e in root if _tag(e) == "model"), root)
    name = model.get("timeUnits") or ("time" if root.get("level") == "2" else "")
    unit = "s" if name == "second" else _NAMES.get(_seconds(model, name) or 0.0, "")
    return f"time ({unit})" if unit else "time"


def _seconds(model: ET.Element, name: str) -> float | None:
    """Length of the unit definition ``name``; None if there is none, or it is no time."""
    for definition in model.iter():
        if _tag(definition) == "unitDefinition" and definition.get("id") == name:
            units = [e for e in definition.iter() if _tag(e) == "unit"]
            if len(units) != 1 or units[0].get("kind") != "second" or float(units[0].get("exponent", 1)) != 1:
                return None
            return round(float(units[0].get("multiplier", 1)) * 10.0 ** int(units[0].get("scale", 0)), 6)
    return None


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
