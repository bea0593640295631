"""Taking files out of a zip that anybody may have made: under names of our own, within limits, no links."""

from __future__ import annotations

import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mi_tutor.classroom.reading import MAX_FILE

MAX_ENTRIES = 20_000
MAX_TOTAL = 2 * 2**30  # bytes of all files
_BLOCK = 2**16


class Refused(Exception):
    """An archive that is not taken apart. The message says why."""


class Entry(NamedTuple):
    """A file of an archive: its name there, where it is now. problem: why it was left where it is, or ""."""

    name: PurePosixPath
    file: Path
    time: float
    problem: str = ""


def unpacked(archive: Path, folder: Path) -> Iterator[Entry]:
    """The files of a zip, one after another.

    Raises:
        Refused: it is no zip, or has too many files or too much in it.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            if len(entries) > MAX_ENTRIES:
                raise Refused(
                    f"{archive.name} has {len(entries):,} files; at most {MAX_ENTRIES:,} are read."
                )
            folder.mkdir(parents=True, exist_ok=True)
            left = MAX_TOTAL
            for number, entry in enumerate(entries):
                one = _entry(opened, entry, folder / f"{number}{_suffix(entry.filename)}", left)
                if one.file.is_file():
                    left -= one.file.stat().st_size
                if left <= 0:
                    raise Refused(f"{archive.name} has more than {MAX_TOTAL >> 30} GB in it.")
                yield one
    except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError) as error:
        raise Refused(f"{archive.name} cannot be read as a zip: {error}") from None


def _suffix(name: str) -> str:
    return ".ipynb" if name.lower().endswith(".ipynb") else ".other"


def _entry(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, file: Path, left: int) -> Entry:
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    moment = _moment(entry)
    if name.is_absolute() or ".." in name.parts or ":" in entry.filename or not name.parts:
        safe = PurePosixPath(name.name or "file")
        return Entry(safe, file, moment, "Its name leads out of the archive.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        return Entry(name, file, moment, "It is a link and was not followed.")
    if entry.flag_bits & 1:
        return Entry(name, file, moment, "It is locked with a password.")
    if file.suffix != ".ipynb":
        file.touch()
        return Entry(name, file, moment)
    most = min(MAX_FILE, left) + 1
    try:
        with opened.open(entry) as source, file.open("wb") as target:
            while target.tell() < most and (block := source.read(_BLOCK)):
                target.write(block)
    except (
        zipfile.BadZipFile,
        EOFError,
        RuntimeError,
        NotImplementedError,
        ValueError,
        OSError,
    ) as error:
        return Entry(name, file, moment, f"It is damaged: {type(error).__name__}.")
    except Exception as error:  # zlib's and lzma's own errors
        return Entry(name, file, moment, f"It is damaged: {type(error).__name__}.")
    return Entry(name, file, moment)


def _moment(entry: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
