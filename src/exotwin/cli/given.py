"""What a user gives on the command line, checked: names, numbers, folders, files to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exotwin.errors import InputError, nearest


def names(words: str) -> list[str]:
    """``"a, b"`` as names."""
    return [name.strip() for name in words.split(",") if name.strip()]


def assignment(words: str) -> tuple[str, float]:
    """``"k=0.3"`` as name and number."""
    name, sign, number = words.partition("=")
    expected = "a name and a number, such as k=0.3"
    if not (name.strip() and sign):
        raise InputError(f"--set {words}", found="no name" if sign else 'no "="', expected=expected)
    try:
        return name.strip(), float(number)
    except ValueError as error:
        raise InputError(f"--set {words}", found=f'the number "{number}"', expected=expected) from error


def even_times(start: float, duration: float, steps: int) -> Any:
    """``steps`` even intervals."""
    import numpy as np

    if not (abs(start) < float("inf") and 0 < duration < float("inf")):
        raise InputError(
            f"--start {start:g} --duration {duration:g}", found="no span", expected="a duration above zero"
        )
    return np.linspace(start, start + duration, steps + 1)


def check_folder(path: Path) -> None:
    """Of results: it may exist or be made, but nothing on the way to it may be a file."""
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        found = "a file" if there == path else f"{there.name}, which is a file"
        raise InputError(f"folder {path}", found=found, expected="a folder, or a new name")


def check_read(path: Path, expected: str, *endings: str) -> None:
    """To read: a folder, or a name that is missing, is told with the nearest of the files that lie there."""
    if path.exists() and not path.is_dir():
        return
    beside = path if path.is_dir() else path.parent
    there = sorted(each.name for ending in endings for each in beside.glob(f"*.{ending}"))
    near = nearest(path.name, there) or (there[0] if len(there) == 1 else None)
    found = "a folder" if path.is_dir() else "no such file" if beside.is_dir() else f"no folder {beside}"
    raise InputError(str(path), found=found, expected=expected, nearest=near)


def check_file(path: Path) -> None:
    """To write: its folder is there, and it is no folder itself."""
    if not path.parent.is_dir():
        folder = str(path.parent)
        raise InputError(f"file {path}", found=f"no folder {folder}", expected="a folder that exists")
    if path.is_dir():
        raise InputError(f"file {path}", found="a folder", expected="the name of a file in it")


def check_page(path: Path) -> None:
    """As `check_file`, before the work that the page tells of; a pipe or a device can hold none."""
    check_file(path)
    if path.exists() and not path.is_file():
        raise InputError(f"file {path}", found="a pipe or a device", expected="the name of a file")


def write(path: Path, text: str) -> None:
    """Write a file that is there as a whole or not at all."""
    check_file(path)
    path = path.resolve()  # what a link points to is written, and the link stays
    if path.exists() and not path.is_file():  # a pipe or a device, such as /dev/stdout
        path.write_text(text, encoding="utf-8")
        return
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
