"""The folder of a run: finished chunks that an interrupted run goes on from, and at the end one ``results.zarr``.

    manifest.json      what the run is (its key), which chunks are finished, the screening, whether all is done
    chunks/00000.zarr  one store a finished chunk; removed when all is done
    results.zarr       dataset, with the groups ``exposure`` and ``patients``

A store is written aside and renamed, then entered in the manifest: what the manifest names is whole. One store a chunk,
since appending to one store, or writing regions of it from several places, can lose data in silence. The key holds
all that the numbers rest on (study, model, product files, versions, machine), so that chunks of different runs never
meet. A folder with unfinished chunks of another run is refused: they may be a night's work. A finished one is started
afresh, and its results stay until the new ones are whole. Zarr format 2: format 3 has no text arrays yet.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exotwin.errors import StudyError
from exotwin.trial.result import Screening

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import xarray as xr

GROUPS = ("", "exposure", "patients")
RESULTS = "results.zarr"

Chunk = Mapping[str, "xr.Dataset"]
"""One dataset a group."""


@dataclass
class RunFolder:
    """The folder of one run; made by `open_folder`, to be used while it is `held`."""

    path: Path
    key: Mapping[str, str]
    screening: Screening | None = None
    finished: bool = False
    done: list[int] = field(default_factory=list)

    def begin(self, screening: Screening) -> None:
        """Say in the manifest whose folder this is, before anything else is written."""
        self.screening = screening
        self._save()

    def write_chunk(self, number: int, chunk: Chunk) -> None:
        """Keep a finished chunk."""
        _write_aside(self._chunk(number), chunk)
        self.done.append(number)
        self._save()

    def close(self, n_patients: int, n_chunks: int) -> None:
        """Join all chunks to ``results.zarr`` and remove them."""
        aside = self.path / f".{RESULTS}.part"
        shutil.rmtree(aside, ignore_errors=True)
        _join([self._chunk(k) for k in range(n_chunks)], aside, n_patients)
        _replace(aside, self.path / RESULTS)
        self.finished = True
        self._save()
        shutil.rmtree(self.path / "chunks", ignore_errors=True)

    def results(self) -> dict[str, xr.Dataset]:
        """The groups of ``results.zarr``, opened without loading them.

        Raises
        ------
        StudyError : the store is damaged.
        """
        import xarray as xr

        store = self.path / RESULTS
        try:
            return {g: xr.open_zarr(store, group=g or None, chunks=None) for g in GROUPS}
        except (OSError, ValueError, KeyError) as error:
            raise StudyError(
                str(store), found=f"a damaged store ({error})", expected="another folder, or this one emptied"
            ) from error

    def _chunk(self, number: int) -> Path:
        return self.path / "chunks" / f"{number:05d}.zarr"

    def _save(self) -> None:
        screening = asdict(self.screening) if self.screening is not None else None
        state = {"key": self.key, "finished": self.finished, "chunks": self.done, "screening": screening}
        aside = self.path / ".manifest.json.part"
        aside.write_text(json.dumps(state, indent=1, ensure_ascii=False), encoding="utf-8")
        aside.replace(self.path / "manifest.json")


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Make the folder if need be and keep other runs out of it; what it made is removed again if it stays empty.

    The lock goes with the process that holds it, however that ends; where there are no such locks none is kept.

    Raises
    ------
    StudyError : another run writes there, or nothing can be written there.
    """
    try:
        made = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    try:
        with _locked(path):
            yield
    finally:
        with suppress(OSError):
            for folder in made:
                folder.rmdir()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = path / ".lock"
    try:
        handle = lock.open("w")
    except OSError as error:
        raise _unwritable(path, error) from error
    with handle:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if isinstance(error, BlockingIOError):  # any other: a file system without locks, so none is kept
                    place, wanted = f"folder {path}", "another folder, or to wait"
                    raise StudyError(place, found="another run that writes there now", expected=wanted) from error
        try:
            yield
        finally:
            with suppress(OSError):
                lock.unlink()


def _unwritable(path: Path, error: OSError | ValueError) -> StudyError:
    found = getattr(error, "strerror", None) or str(error)
    return StudyError(f"folder {path}", found=found, expected="a folder that can be written to")


def open_folder(path: Path, key: Mapping[str, str]) -> RunFolder:
    """The folder for the run ``key``: a new one, the same run's where it stopped, or a finished one started afresh.

    Raises
    ------
    StudyError : unfinished chunks of another run, an unreadable manifest, or results that no run has left there.
    """
    manifest = path / "manifest.json"
    if not manifest.exists():
        for name in ("chunks", RESULTS):
            if (path / name).exists():
                raise StudyError(
                    f"folder {path}", found=f"{name} without a manifest", expected="another folder, or this one emptied"
                )
        return RunFolder(path, key)
    try:
        state: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        old_key, finished, done = dict(state["key"]), bool(state["finished"]), [int(k) for k in state["chunks"]]
        screening = _screening(state["screening"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(
            str(manifest), found=f"no readable manifest ({error})", expected="another folder, or this one emptied"
        ) from error
    if old_key == dict(key):
        if finished and screening is not None and (path / RESULTS).is_dir():
            return RunFolder(path, key, screening, True)
        kept = [k for k in done if not finished and (path / "chunks" / f"{k:05d}.zarr").is_dir()]
        return RunFolder(path, key, screening, False, kept)
    if finished or not done:
        return RunFolder(path, key)
    differs = [k for k in {**old_key, **key} if old_key.get(k) != key.get(k)]
    raise StudyError(
        f"folder {path}",
        found=f"{len(done)} finished chunks of another run; what differs: {', '.join(differs)}",
        expected="another folder, or this one emptied if those chunks are not wanted",
    )


def _screening(state: Mapping[str, Any] | None) -> Screening | None:
    if state is None:
        return None
    left_out = tuple((str(rule), str(record), int(n)) for rule, record, n in state["left_out"])
    return Screening(state["n_screened"], state["n_enrolled"], left_out, dict(state["failed"]))


def _write_aside(target: Path, chunk: Chunk) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    for group, dataset in chunk.items():
        dataset.to_zarr(aside, group=group or None, mode="a", zarr_format=2, consolidated=False)
    _replace(aside, target)


def _replace(aside: Path, target: Path) -> None:
    # A folder cannot be renamed over a filled one.
    if target.exists():
        old = target.with_name(f".{target.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
        aside.rename(target)
        shutil.rmtree(old)
    else:
        aside.rename(target)


def _join(parts: Sequence[Path], target: Path, n_patients: int) -> None:
    """One store from the stores of the chunks, with one array of one chunk in memory at a time."""
    import zarr

    whole = zarr.open_group(target, mode="w", zarr_format=2)
    for name in GROUPS:
        into = whole.require_group(name) if name else whole
        arrays: dict[str, Any] = {}
        start = 0
        for part in parts:
            source = zarr.open_group(part, path=name, mode="r")
            into.attrs.update(source.attrs)
            length = 0
            for key, array in source.arrays():
                axis = _patient_axis(array)
                shape = tuple(n_patients if k == axis else size for k, size in enumerate(array.shape))
                if key not in arrays:
                    arrays[key] = into.create_array(
                        key,
                        shape=shape,
                        chunks=array.shape,
                        dtype=array.dtype,
                        fill_value=array.fill_value,
                        attributes=dict(array.attrs),
                    )
                length = array.shape[axis] if axis is not None else length
                rows = slice(start, start + length)
                arrays[key][tuple(rows if k == axis else slice(None) for k in range(array.ndim))] = array[...]
            start += length
    zarr.consolidate_metadata(target)


def _patient_axis(array: Any) -> int | None:
    dims = list(array.attrs["_ARRAY_DIMENSIONS"])
    return dims.index("patient") if "patient" in dims else None
