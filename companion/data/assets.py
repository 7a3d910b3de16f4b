"""Files that can be fetched: found in the cache, or downloaded once, and always checked against their SHA-256.

The manifest is `assets.toml` beside this module and, for data sets, `sets/NAME.toml`. The cache is the folder
`COMPANION_CACHE` names, else the platform's own cache folder. Nothing is ever uploaded.
"""

import errno
import hashlib
import os
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from glob import escape
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from companion.errors import CompanionError, unknown_name
from companion.files import LONGEST, put_in_place, replacing, shown

if TYPE_CHECKING:
    import requests

if sys.version_info >= (3, 11):
    import tomllib
else:  # Python 3.10 has no TOML reader of its own
    import tomli as tomllib


LEFT_BEHIND = 600.0  # seconds without a byte, after which a part is nobody's


BUSY = (429, 500, 502, 503, 504)  # answers after which a source is asked again
TRIES = 4  # further ones, after 0, 2, 4 and 8 seconds if the source names no time
LONGEST_WAIT = 30.0  # seconds, whatever a source asks for


@dataclass(frozen=True)
class Asset:
    """One file of the manifest, one folder of small ones, or one folder out of an archive."""

    name: str
    description: str
    urls: list[str]  # tried in order; of a folder, what its files' names are put behind; maybe none
    path: str  # below the cache folder
    sha256: str  # of the file or the archive; of a folder, of its list of members
    size: int  # bytes, of a folder those of all its members
    licence: str
    attribution: str
    instead: str = ""  # what runs without it, where something does
    members: str = ""  # of a folder, the list of checksums and names below this module's folder
    archive: str = ""  # of a folder out of an archive, its name in there
    count: int = 0  # … and how many files it holds
    by_hand: str = ""  # where it may be had, if no address is known
    cite: str = ""  # sources in the book's references, separated by commas

    @property
    def file(self) -> Path:
        """Where the file or folder lies, or would lie, in the cache."""
        return cache_folder() / self.path

    @property
    def parts(self) -> list["Asset"]:
        """The single files: itself, or the members of the folder."""
        if not self.members:
            return [self]
        lines = _beside(self.members).splitlines()
        return [self._member(*line.split(" ", 1)) for line in lines]

    def _member(self, sha256: str, name: str) -> "Asset":
        urls = [url + name for url in self.urls]
        return replace(self, urls=urls, path=f"{self.path}/{name}", sha256=sha256, members="")

    @property
    def packed(self) -> "Asset":
        """Of a folder out of an archive, the archive, as a file beside the folder."""
        beside = Path(self.path).parent / self.urls[0].rsplit("/", 1)[-1]
        return replace(self, path=beside.as_posix(), archive="", count=0)

    @property
    def here(self) -> bool:
        """Whether it is in the cache; of an archive's folder, whether any of its files are."""
        return self._found > 0 if self.archive else all(part.file.is_file() for part in self.parts)

    @property
    def state(self) -> str:
        """Where it stands, in a few words."""
        if self.here:
            return f"{self._found} of {self.count} here" if 0 < self._found < self.count else "here"
        return f"{_megabytes(self.size)} to fetch" if self.urls else "to put by hand"

    @property
    def _found(self) -> int:
        return sum(path.is_file() for path in self.file.glob("*")) if self.archive else 0


def cache_folder() -> Path:
    """The folder `COMPANION_CACHE` names, else the platform's cache folder; it need not exist yet."""
    if named := os.environ.get("COMPANION_CACHE"):
        try:
            return Path(named).expanduser()
        except RuntimeError:
            raise CompanionError(
                f"COMPANION_CACHE names {shown(named)}, and there is no such user here; set it to a folder of yours."
            ) from None
    import pooch  # half a second, and whoever asks for a help text need not wait for it

    return Path(pooch.os_cache("generative-vision"))


@cache
def manifest() -> dict[str, Asset]:
    """All assets by name: those of `assets.toml`, and then those of every data set."""
    sets = sorted(file.name for file in files("companion.data").joinpath("sets").iterdir())
    lists = ["assets.toml", *(f"sets/{name}" for name in sets if name.endswith(".toml"))]
    entries = [entry for name in lists for entry in tomllib.loads(_beside(name)).items()]
    return {name: Asset(name=name, **fields) for name, fields in entries}


def _beside(name: str) -> str:
    return files("companion.data").joinpath(name).read_text(encoding="utf-8")


def fetch(name: str) -> Path:
    """The asset's file or folder in the cache, downloaded first if it is not there.

    Raises:
        CompanionError: The name is unknown, the file is damaged, the disk refuses it, or no source could be reached;
            the sentence says where a file may be put by hand.
    """
    if name not in manifest():
        raise unknown_name("asset", name, manifest())
    from tqdm.auto import tqdm

    asset = manifest()[name]
    if asset.archive:
        _unpack(asset)
        return asset.file
    for part in tqdm(asset.parts, desc=name, unit="file", leave=False, delay=2):
        _fetch_file(part, of=asset)
    return asset.file


def _unpack(asset: Asset) -> None:
    """Put an archive's folder into its place, whole or not at all; what lies there already may be a part of it."""
    if asset.here:
        return
    packed = asset.packed
    _fetch_file(packed, of=packed)
    try:
        with TemporaryDirectory(
            dir=packed.file.parent, prefix=f".{asset.name}.", suffix=".part"
        ) as unfinished:
            with tarfile.open(packed.file) as archive:
                archive.extractall(unfinished, filter="data")
            put_in_place(Path(unfinished) / asset.archive, asset.file)
    except OSError as error:
        if not asset.here:  # else another process was faster
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise _no_room(asset) if full else _no_cache(asset) from None
    with suppress(OSError):  # what was put by hand may have to stay
        packed.file.unlink()


def _fetch_file(asset: Asset, of: Asset) -> None:
    if asset.file.is_file():
        _verify(asset)
        return
    if not asset.urls:
        folder = f" (one of {len(of.parts)} in {of.file})" if of.members else ""
        raise CompanionError(
            f"The file {asset.file}{folder} of {asset.name} is not there, and no public address holds it: "
            f"{of.by_hand}; put it there by hand{_or_instead(of)}."
        )
    failures = []
    for url in asset.urls:
        if (failure := _download(asset, url)) is None:
            return
        failures.append(f"{url}: {failure}")
    by_hand = (
        f"put the {len(of.parts)} files by hand into {of.file} (from {of.urls[0]})"
        if of.members
        else f"put the file by hand at {of.file}"
    )
    raise CompanionError(
        f"Could not fetch {of.name} ({_megabytes(of.size)}; {'; '.join(failures)}): connect to the network and try "
        f"again, or {by_hand}{_or_instead(of)}."
    )


class _Refused(Exception):
    """Why a source did not give the file, in a few words."""


def _download(asset: Asset, url: str) -> str | None:
    """Try one source; None when the file is there and right, else the reason in a few words."""
    _remove_leavings(asset.file)
    try:
        with replacing(asset.file) as file:
            for block in _received(asset, url):
                file.write(block)
    except _Refused as refused:
        return str(refused)
    except CompanionError as error:
        full = getattr(error.__context__, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        raise _no_room(asset) if full else _no_cache(asset) from None
    return None


def _no_room(asset: Asset) -> CompanionError:
    return CompanionError(
        f"The disk is full, and {asset.name} needs {_megabytes(asset.size)} in {shown(asset.file.parent)}; "
        "free some space, or set COMPANION_CACHE to a folder elsewhere."
    )


def _no_cache(asset: Asset) -> CompanionError:
    return CompanionError(
        f"The cache folder {shown(asset.file.parent)} cannot be written; set COMPANION_CACHE to a folder of yours."
    )


def _received(asset: Asset, url: str) -> Iterator[bytes]:
    """The file's bytes from a source, no more than there are, and checked when all are there.

    Raises:
        _Refused: Whatever is wrong there, or on the way.
    """
    import requests
    from tqdm.auto import tqdm

    digest, received = hashlib.sha256(), 0
    try:
        with (
            _session().get(url, stream=True, timeout=20) as answer,
            tqdm(
                total=asset.size,
                desc=asset.name,
                unit="B",
                unit_scale=True,
                leave=False,
                delay=2,
                dynamic_ncols=True,
            ) as bar,
        ):
            if not answer.ok:
                raise _Refused(f"it answers {answer.status_code} {answer.reason}".rstrip())
            for block in answer.iter_content(1 << 16):
                received += len(block)
                if received > asset.size:  # it might never end
                    break
                digest.update(block)
                bar.update(len(block))
                yield block
            page = "html" in answer.headers.get("Content-Type", "").lower()
    except requests.exceptions.SSLError as error:
        raise _Refused(f"its certificate cannot be trusted here ({_innermost(error)})") from None
    except requests.exceptions.ProxyError as error:
        raise _Refused(
            f"the proxy that this machine's settings name cannot be used ({_innermost(error)})"
        ) from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
        raise _Refused(f"this machine's settings of a proxy are wrong ({_innermost(error)})") from None
    except requests.RequestException as error:
        raise _Refused(f"{type(error).__name__}, {_innermost(error)}") from None
    except (
        OSError,
        ValueError,
    ) as error:  # a certificate file that is not there, a proxy that is no address …
        raise _Refused(f"this machine's settings of proxy or certificates are wrong ({error})") from None
    if received > asset.size or digest.hexdigest() != asset.sha256:
        what = " is a web page, as of a network that wants a log-in, and" if page else ""
        raise _Refused(f"what {url.split('/')[2]} sent{what} has another checksum")


@cache
def _session() -> "requests.Session":
    """One connection for many small files, which asks a source that is busy again, a little later each time."""
    import requests
    from urllib3.util import Retry

    class Patient(Retry):
        """As urllib3's, but no source can make anybody wait for an hour, and who waits is told."""

        def get_retry_after(self, response: Any) -> float | None:
            asked = super().get_retry_after(response)
            return None if asked is None else min(asked, LONGEST_WAIT)

        def sleep(self, response: Any = None) -> None:
            if response is not None:
                print(
                    f"The source is busy (it answers {response.status}), so it is asked again in a moment.",
                    file=sys.stderr,
                )
            super().sleep(response)

    # What cannot be reached at all is not waited for: there may be another source.
    patient = Patient(
        connect=0, read=0, other=0, redirect=10, status=TRIES, backoff_factor=1, status_forcelist=BUSY,
        raise_on_status=False,
    )  # fmt: skip
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=patient))
    return session


def _innermost(error: BaseException) -> str:
    """What lies at the bottom of the network's nested errors, on one line."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    inner = getattr(error, "reason", None)
    return _innermost(inner) if isinstance(inner, BaseException) else " ".join(str(error).split())


def _remove_leavings(file: Path) -> None:
    """Delete what killed downloads of a file left; one that is still going on has written within minutes."""
    for part in file.parent.glob(f".{escape(file.name[:LONGEST])}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > LEFT_BEHIND:
                part.unlink()


def _verify(asset: Asset) -> None:
    import pooch

    if pooch.file_hash(str(asset.file), alg="sha256") != asset.sha256:
        raise CompanionError(
            f"The file {asset.file} is not the published {asset.name} (wrong checksum); delete it and fetch it "
            f"again{_or_instead(asset)}."
        )


def _or_instead(asset: Asset) -> str:
    return f", or use “{asset.instead}”, which needs no download" if asset.instead else ""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
