"""Results of any number of patients, written batch by batch to a Zarr group, and taken up again after an interruption.

The group at the given path holds what the Dataset of `CompiledModel.simulate` holds, one array a variable, and can be
opened by anything that reads Zarr. Zarr format 2, since format 3 has no text arrays yet.

- A batch is one chunk of each array: chunks never overlap, so that no two writes meet in one file.
- Each file is written aside and renamed (by zarr), the outcomes of a batch last. So a batch is finished if and only if
  its outcomes are there: there is no list of finished batches that could be wrong. In a batch that is not finished,
  outcomes read as "".
- Digests of all that decides the numbers stand in the attribute ``made_from``. Other inputs are refused.
- ``outcomes``, the number of patients by outcome, is written when all is done.

Two processes that do the same run at the same time write the same bits, which wastes time and harms nothing.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from exotwin.engine.running import inputs
from exotwin.engine.running.dataset import BY_PATIENT, NAMES_OF_OUTCOMES, Labels, by_patient, counted
from exotwin.engine.running.run import Results, Run
from exotwin.errors import ExotwinError, ModelError
from exotwin.progress import Progress

if TYPE_CHECKING:
    import xarray as xr

_BATCH_BYTES = 128_000_000  # of a batch, computed and recorded; so much that zarr's millisecond a write counts little
_BATCH_STEP = 256  # patients


def stream(
    path: Path, labels: Labels, run: Run, code: str, compute: Callable[[Run], Results], progress: Progress
) -> xr.Dataset:
    """Compute what the group at ``path`` does not hold yet, and open it.

    code : digest of the machine code. compute : simulates some of the patients, and tells ``progress`` of them.

    Raises
    ------
    ModelError : the folder holds results of other inputs or something else, or nothing can be written there.
    ExotwinError : writing failed later on, as on a full disk; finished batches are kept.
    """
    size = batch_size(run)
    made_from = {"model": code, **{field.name: _digest(getattr(run, field.name)) for field in fields(run)}}
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        _create(path, labels, run.n_patients, size, made_from)
    group = _open(path, made_from)
    if "outcomes" not in group.attrs:
        with _told(path):
            _fill(group, labels, run, size, compute, progress)
            _finish(path, group, size)
    return _dataset(path, labels)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Failures of reading or writing as one message."""
    try:
        yield
    except OSError as error:
        raise ExotwinError(
            f"folder {path}",
            found=error.strerror or str(error),
            expected="room to write; finished batches are kept, and the same call goes on from there",
        ) from error


def batch_size(run: Run) -> int:
    """Patients of a batch. Must not depend on anything that a later run may choose otherwise, such as threads."""
    of_a_patient = run.bytes_of_a_patient + 8 * len(run.times) * len(run.recorded)
    size = max(1, _BATCH_BYTES // of_a_patient)
    size -= size % _BATCH_STEP if size > _BATCH_STEP else 0
    return max(1, min(size, run.n_patients))


def _digest(value: Any) -> str:
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    """Add a value to a digest. Numbers count as what they are, wherever and in whatever type they are kept."""
    if hasattr(value, "ndim"):
        digest.update(f"{value.shape}".encode())
        for part in inputs.parts(value):
            digest.update(part.tobytes())
    elif is_dataclass(value):
        _feed(digest, [getattr(value, field.name) for field in fields(value)])
    elif isinstance(value, Mapping):
        _feed(digest, sorted(value.items()))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        digest.update(f"{len(value)}:".encode())
        for item in value:
            _feed(digest, item)
    else:
        digest.update(f"{value!r};".encode())


def _create(path: Path, labels: Labels, n: int, size: int, made_from: Mapping[str, str]) -> None:
    """An empty group, made aside and renamed."""
    import zarr

    aside = path.with_name(f".{path.name}.{uuid4().hex}.part")

    # the outcomes, which tell that a batch is whole, have a checksum: a torn file has to be known as such
    checked: dict[str, Any] = {"id": "zstd", "level": 1, "checksum": True}

    def add(name: str, kind: str, dims: Sequence[str], attributes: Mapping[str, Any]) -> Any:
        return group.create_array(
            name,
            shape=tuple(n if dim == "patient" else labels.sizes[dim] for dim in dims),
            chunks=tuple(size if dim == "patient" else labels.sizes[dim] for dim in dims),
            dtype=kind,
            fill_value=np.nan if np.dtype(kind).kind == "f" else None,
            compressors=checked if name == "outcome" else "auto",
            attributes={**attributes, "_ARRAY_DIMENSIONS": list(dims)},
        )

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        group = zarr.open_group(aside, mode="w", zarr_format=2)
        add("time", "f8", ["time"], {"units": labels.time_unit})[:] = labels.times
        for name, texts in labels.by_wrt.items():
            add(name, texts.dtype.str, ["wrt"], {})[:] = texts
        for name, variable in labels.variables().items():
            add(name, "f8", variable.dims, variable.attributes)
        for name, kind in BY_PATIENT.items():
            add(name, kind.str, ["patient"], {})
        # by "coordinates" xarray knows what is no variable
        own: dict[str, Any] = {"made_from": dict(made_from), "coordinates": " ".join((*BY_PATIENT, *labels.by_wrt))}
        group.attrs.update({**labels.attributes, **own})
        zarr.consolidate_metadata(aside)
        aside.rename(path)
    except OSError as error:
        if not path.is_dir():  # else another process has just made the same
            found = error.strerror or str(error)
            raise ModelError(f"folder {path}", found=found, expected="a folder that can be written to") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _open(path: Path, made_from: Mapping[str, str]) -> Any:
    """The group, if these results belong there."""
    import zarr

    try:
        group = zarr.open_group(path, mode="r+", zarr_format=2)
        attributes: dict[str, Any] = group.attrs.asdict()
        stored = dict(attributes["made_from"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        found, expected = "something that no simulation has written", "another folder, or a new one"
        raise ModelError(f"folder {path}", found=found, expected=expected) from error
    differs = [name for name in {**stored, **made_from} if stored.get(name) != made_from.get(name)]
    if differs:
        raise ModelError(
            f"folder {path}",
            found=f"results of other inputs; what differs: {', '.join(differs)}",
            expected="another folder, or this one removed if those results are not wanted",
        )
    return group


def _fill(
    group: Any, labels: Labels, run: Run, size: int, compute: Callable[[Run], Results], progress: Progress
) -> None:
    """Compute and write every batch that is not finished; one is written while the next is computed."""
    variables = labels.variables()

    def write(first: int, last: int, results: Results) -> None:
        for name, variable in variables.items():
            group[name][first:last] = variable.values(results)
        for coordinate, values in reversed(by_patient(results).items()):  # the outcome last
            group[coordinate][first:last] = values

    progress.start("simulating", run.n_patients)
    with ThreadPoolExecutor(1) as writer:  # waits, when it is left, for what is being written
        writing: Future[None] | None = None
        for first in range(0, run.n_patients, size):
            last = min(first + size, run.n_patients)
            if _is_finished(group, first):
                progress.advance(last - first)
                continue
            results = compute(run.part(first, last))
            if writing is not None:
                writing.result()
            writing = writer.submit(write, first, last, results)
        if writing is not None:
            writing.result()


def _is_finished(group: Any, first: int) -> bool:
    """Whether the batch of a patient is whole. One whose outcomes cannot be read is computed anew."""
    try:
        return bool(group["outcome"][first] != "")
    except (OSError, RuntimeError, ValueError):
        return False


def _finish(path: Path, group: Any, size: int) -> None:
    """Count the outcomes, and say so where readers look."""
    import zarr

    outcome, total = group["outcome"], np.zeros(len(NAMES_OF_OUTCOMES), np.int64)
    for first in range(0, outcome.shape[0], size):
        total += np.sum(outcome[first : first + size][:, None] == NAMES_OF_OUTCOMES, axis=0)
    group.attrs["outcomes"] = counted(total)
    zarr.consolidate_metadata(path)


def _dataset(path: Path, labels: Labels) -> xr.Dataset:
    """What is stored, read when it is used; variables in the order in which they were asked for."""
    import xarray as xr

    # times stay numbers, whatever their unit is called
    found: xr.Dataset = xr.open_zarr(path, chunks=None, decode_times=False)
    del found.attrs["made_from"]
    return found[list(labels.variables())]
