"""Where the databases of a data folder lie, and which one holds a site."""

from __future__ import annotations

import functools
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from statetrace.database import queries
from statetrace.database.database import Database, open_database
from statetrace.database.files import file_status, identity_text
from statetrace.errors import DatabaseError, DatabaseMissing
from statetrace.model import DatabaseState, fold, safe_file_name
from statetrace.model.names import UNKNOWN_SITE, stored_site_code

SUFFIXES = (".sqlite", ".accdb")
"""Of the databases of one name the first counts."""
BACKUP_FOLDER = "Backups"
HISTORY_FOLDER = "IngestionHistory"
"""Of the histories of ingestion; no databases lie there."""
MOST_OPEN = 64
"""Databases of a folder that keep files open at a time, where the system lets a process have a thousand files."""
_FILES_EACH = 16
"""Twice the files of a database that is read and written: a forked process inherits what its parent has open."""
_LOOK_SECONDS = 5.0
"""How long a site without a database of its own is searched where databases were before, besides new folders."""
_NO_DATABASES = (BACKUP_FOLDER.casefold(), HISTORY_FOLDER.casefold())
"""Folders in which nothing is searched; the history has a file a site, and none of them is a database."""
_NO_SITE = re.compile(r"PerfPipeline(?:-.*)?\.[^.]*", re.IGNORECASE)
_BACKUP = re.compile(r"\.backup[.-]", re.IGNORECASE)


class _Content(msgspec.Struct, frozen=True):
    """What a database was found to hold.

    Attributes:
        state: in which state.
        codes: the site codes by their folded form.
        owner: the folded code of the site whose own it is, because its folder has the same name; else ``""``.
    """

    state: DatabaseState
    codes: dict[str, str]
    owner: str


class SiteDatabases:
    """The site databases of a data folder, each opened once and shared by all threads.

    A database that was not used for longer than ``MOST_OPEN`` others keeps no file open until its next use.

    Arguments:
        data_folder: the ``Data`` folder of an original StateTrace or of ours; it need not exist yet.
        override: one database for all sites, whatever lies in the folder.
    """

    def __init__(self, data_folder: Path | str, override: Path | str | None = None) -> None:
        self.data_folder = Path(data_folder).absolute()
        self.override = None if override is None else Path(override).absolute()
        self._lock = threading.Lock()
        self._most_open = _most_open()
        self._opened: dict[Path, Database] = {}
        self._in_use: OrderedDict[Path, Database] = OrderedDict()
        self._held: dict[str, _Content] = {}  # by path; paths as keys would double the cost of a search
        self._folders: dict[str, list[Path]] = {}
        self._looked = float("-inf")

    def path_of(self, site: str) -> Path:
        """The database file of a site: the one that exists, else where a new one is made.

        In ``<folder>/<site up to its first dash>/`` before ``<folder>/``, a SQLite file before an Access file
        (reference: access-database 1.2). Names are found in any case.

        Raises:
            UnsafeName: a site that must not become part of a path.
            DatabaseError: a folder that must not be looked into.
        """
        if self.override is not None:
            return self.override
        site = site.strip() or UNKNOWN_SITE
        dash = site.find("-")
        names = [safe_file_name(site) + suffix for suffix in SUFFIXES]
        folder = self.data_folder / safe_file_name(site[:dash] if dash > 0 else site)
        listing = functools.cache(_names)
        try:
            modern = folder if folder.is_dir() else _entry(self.data_folder, folder.name, listing) or folder
            for place in (modern, self.data_folder):
                for name in names:
                    if (found := _entry(place, name, listing)) is not None and found.is_file():
                        return found
        except OSError as error:
            raise _unsearchable(folder, error) from error
        return modern / names[0]

    def paths(self) -> list[Path]:
        """All database files: those of the folder, then those of its folders, each in order of their names.

        Only if there are none, all further down. Benchmark databases, backups and unfinished files do not count, and
        neither does an Access file beside a SQLite file of its name (reference: access-database 1.3).
        """
        if self.override is not None:
            return [self.override] if self.override.exists() else []
        return self._paths({})

    def _paths(self, known: dict[str, list[Path]]) -> list[Path]:
        """As ``paths``; folders in which databases are known to be are not looked into."""
        files, folders = _listing(self.data_folder)
        found = _databases(self.data_folder, (file for file in files if not _NO_SITE.fullmatch(file)))
        looked: dict[str, list[Path]] = {}
        for name in folders:
            looked[name] = known.get(name) or _databases(self.data_folder / name, _listing(self.data_folder / name)[0])
            found += looked[name]
        self._folders = looked
        return found or _recursive(self.data_folder)

    def open(self, site: str) -> Database | None:
        """The database that holds a site: its own, else one of the folder in which it is found, else ``None``.

        Nobody is thought to add a site to a database in the folder of another one: those are asked once. A database
        that is put beside one of another site is noticed within seconds, everything else at once.

        Arguments:
            site: the site code, in any case.

        Raises:
            UnsafeName: a site that must not become part of a path.
            DatabaseError: the database cannot be opened; or none holds the site, and one that may hold it, because it
                is not named after another one, could not be asked.
        """
        path = self.path_of(site)
        if self.override is not None or path.exists():
            return self._open(path) if path.exists() else None
        return self._search({fold(name) for name in queries.stored_sites(site.strip() or UNKNOWN_SITE)})

    def made(self, site: str) -> Database:
        """The database that holds a site, as :meth:`open` finds it, else a new SQLite database.

        Raises:
            UnsafeName, DatabaseError: as for :meth:`open`, or it cannot be made.
        """
        return self.open(site) or self._open(self.path_of(site), create=True)

    def databases(self) -> Iterator[Database]:
        """All databases, opened, in the order of ``paths``."""
        return (self._open(path) for path in self.paths())

    def owns(self, state: DatabaseState) -> bool:
        """Whether the database of that state is one of these, be it there or gone."""
        path = Path(state.identity.rpartition("#")[0])
        if self.override is not None:
            return path == self.override.absolute()
        return path.is_relative_to(self.data_folder.absolute())

    def sites(self, *, failures: list[DatabaseError] | None = None) -> list[str]:
        """The site codes of all databases in their first spelling, sorted without regard to case.

        A device without site, or with the four characters that the original stored, counts by its host name.

        Arguments:
            failures: receives what went wrong with databases that cannot be read, in place of raising it.

        Raises:
            DatabaseError: a database that cannot be read.
        """
        codes: dict[str, str] = {}
        for path in self.paths():
            try:
                found = self._codes(self._open(path))
            except DatabaseError as error:
                if failures is None:
                    raise
                failures.append(error)
                continue
            for folded, code in found.items():
                codes.setdefault(folded, code)
        return [code for _, code in sorted(codes.items())]

    def close(self) -> None:
        """Close all databases; they are opened again when asked for."""
        with self._lock:
            # Some may be in use that were opened before the last time.
            opened = [*self._opened.values(), *self._in_use.values()]
            self._opened, self._held = {}, {}
            self._in_use.clear()
            self._looked = float("-inf")
        for database in opened:
            database.close()

    def use(self, database: Database) -> None:
        """Tell that a database is used again by somebody who kept it.

        Those used longest ago are closed when there are too many; whoever is at one of them keeps the connection.
        """
        with self._lock:
            self._in_use[database.path] = database
            self._in_use.move_to_end(database.path)
            excess = len(self._in_use) - self._most_open
            unused = [self._in_use.popitem(last=False)[1] for _ in range(excess)]
        for other in unused:
            other.close()

    def _open(self, path: Path, *, create: bool = False) -> Database:
        with self._lock:
            database = self._opened.get(path)
            made = create and not os.path.lexists(path)
            if database is not None and made:
                database.close()  # its file was deleted
                database = None
            if database is None:
                database = self._opened[path] = open_database(path, create=create)
                if made and (owner := _owner(path)):
                    self._held[str(path)] = _Content(database.state(), {}, owner)
        self.use(database)
        return database

    def _search(self, names: set[str]) -> Database | None:
        failure: DatabaseError | None = None
        for path in self._searched():
            held = self._held.get(str(path))
            if held is not None and held.owner and held.owner not in names and names.isdisjoint(held.codes):
                continue
            try:
                database = self._open(path)
                if names & self._codes(database).keys():
                    return database
            except DatabaseMissing:
                continue
            except DatabaseError as error:
                if not _owner(path):  # the others belong to another site
                    failure = failure or error
        # A database that cannot be asked may be the one: "unknown site" would be a guess.
        if failure is not None:
            raise failure
        return None

    def _searched(self) -> list[Path]:
        """The paths to be searched, at a cost that hardly grows with their number when one new site follows another."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return self._paths(self._folders)
        paths = self.paths()
        for path in paths:
            held = self._held.get(str(path))
            if held is not None and held.state.identity != _identity(path):
                self._held.pop(str(path), None)
        self._looked = now
        return paths

    def _codes(self, database: Database) -> dict[str, str]:
        """The site codes of a database by their folded form; asked again only after it changed."""
        state = database.state()
        held = self._held.get(str(database.path))
        if held is None or held.state != state:
            with database.connect() as connection:
                rows = connection.execute(queries.site_hosts()).fetchall()
            # A SQLite column takes numbers and bytes too, whatever its type.
            codes = [stored_site_code(*("" if value is None else str(value) for value in row)) for row in rows]
            held = _Content(state, {fold(code): code for code in reversed(codes)}, _owner(database.path))
            self._held[str(database.path)] = held
        return held.codes


def _most_open() -> int:
    """How many databases may keep files open, as far as the system restricts that."""
    try:
        import resource  # noqa: PLC0415  # not on Windows, which knows no such limit
    except ImportError:
        return MOST_OPEN
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_OPEN if files == resource.RLIM_INFINITY else max(1, min(MOST_OPEN, files // _FILES_EACH))


def _owner(path: Path) -> str:
    """The folded code of the site whose own a database is, because its folder has the same name; else ``""``."""
    name = fold(path.stem)
    return name if name == fold(path.parent.name) else ""


def _identity(path: Path) -> str:
    try:
        status = file_status(path)
    except (DatabaseMissing, OSError):
        return ""
    return identity_text(path, (status.st_dev, status.st_ino))


def _entry(folder: Path, name: str, listing: Callable[[Path], list[str]]) -> Path | None:
    """The entry of that name in any case, the exact one first."""
    exact = folder / name
    if exact.exists():
        return exact
    folded = name.casefold()
    return min((folder / entry for entry in listing(folder) if entry.casefold() == folded), default=None)


def _names(folder: Path) -> list[str]:
    """The names of the entries of a folder; none of a folder that is not there."""
    try:
        return os.listdir(folder)  # noqa: PTH208  # of a thousand sites, and pathlib is ten times dearer
    except (FileNotFoundError, NotADirectoryError):
        return []


def _unsearchable(folder: Path, error: OSError) -> DatabaseError:
    return DatabaseError(folder, f"cannot be searched for databases: {error.strerror}")


def _listing(folder: Path) -> tuple[list[str], list[str]]:
    """The names of files and folders in a folder, in order; nothing of a folder that is not there."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):  # a link that leads to itself
                    if entry.is_dir():
                        folders.append(entry.name)
                    elif entry.is_file():
                        files.append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        raise _unsearchable(folder, error) from error
    return _in_order(files), _searchable(folders)


def _searchable(folders: Iterable[str]) -> list[str]:
    return _in_order(name for name in folders if name.casefold() not in _NO_DATABASES)


def _databases(folder: Path, names: Iterable[str]) -> list[Path]:
    """The databases among the files of those names in a folder."""
    by_stem: dict[str, Path] = {}
    for name in names:
        file = folder / name
        suffix = file.suffix.lower()
        if suffix not in SUFFIXES or file.name.startswith(".") or _BACKUP.search(file.name):
            continue
        known = by_stem.get(file.stem.casefold())
        if known is None or SUFFIXES.index(suffix) < SUFFIXES.index(known.suffix.lower()):
            by_stem[file.stem.casefold()] = file
    return list(by_stem.values())


def _recursive(folder: Path) -> list[Path]:
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = _searchable(folders)
        found += _databases(Path(parent), _in_order(name for name in names if not _NO_SITE.fullmatch(name)))
    return found


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(sorted(names), key=str.casefold)
