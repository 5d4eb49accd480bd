"""Compiled models on disk, found by content. A file that is damaged or foreign counts as absent."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

_MAGIC = b"exotwin model\n"


def folder() -> Path:
    """EXOTWIN_CACHE, else the folder where this system keeps what can be made again."""
    if chosen := os.environ.get("EXOTWIN_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "exotwin" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/exotwin"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "exotwin"


def key(*parts: str) -> str:
    """One name for all that a compiled model depends on."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def read(name: str) -> tuple[bytes, bytes] | None:
    """Description and machine code, or None."""
    try:
        data = (folder() / f"{name}.model").read_bytes()
    except OSError:
        return None
    head = len(_MAGIC)
    digest, size, rest = data[head : head + 32], data[head + 32 : head + 40], data[head + 40 :]
    if data[:head] != _MAGIC or hashlib.sha256(rest).digest() != digest:
        return None
    length = int.from_bytes(size, "little")
    return rest[:length], rest[length:]


def write(name: str, description: bytes, code: bytes) -> None:
    """Keep a compiled model: written aside and renamed, so that another process sees all of it or nothing.

    A folder that cannot be written to costs the next start its time and nothing else, so it is no error.
    """
    rest = description + code
    data = _MAGIC + hashlib.sha256(rest).digest() + len(description).to_bytes(8, "little") + rest
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=folder(), suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(aside, folder() / f"{name}.model")
        except OSError:
            os.unlink(aside)
            raise
