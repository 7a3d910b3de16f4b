"""Files that can be fetched: found in the cache, or downloaded once, and always checked against their SHA-256.

The manifest is `assets.toml` beside this module. The cache is the folder `COMPANION_CACHE` names, else the
platform's own cache folder. Nothing is ever uploaded.
"""

import errno
import os
import sys
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import pooch
from requests import RequestException  # what pooch downloads with
from tqdm.auto import tqdm

from companion.errors import CompanionError, unknown_name

if sys.version_info >= (3, 11):
    import tomllib
else:  # Python 3.10 has no TOML reader of its own
    import tomli as tomllib


@dataclass(frozen=True)
class Asset:
    """One file of the manifest, or one folder of small ones."""

    name: str
    description: str
    urls: list[str]  # tried in order; of a folder, what its files' names are put behind; maybe none
    path: str  # below the cache folder
    sha256: str  # of the file; of a folder, of its list of members
    size: int  # bytes
    licence: str
    attribution: str
    instead: str = ""  # what runs without it, where something does
    members: str = ""  # of a folder, the list of checksums and names beside the manifest

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
    def here(self) -> bool:
        """Whether all of it is in the cache."""
        return all(part.file.is_file() for part in self.parts)


def cache_folder() -> Path:
    """The folder `COMPANION_CACHE` names, else the platform's cache folder; it need not exist yet."""
    return Path(os.environ.get("COMPANION_CACHE") or pooch.os_cache("generative-vision")).expanduser()


@cache
def manifest() -> dict[str, Asset]:
    """All assets by name."""
    return {name: Asset(name=name, **entry) for name, entry in tomllib.loads(_beside("assets.toml")).items()}


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
    asset = manifest()[name]
    for part in tqdm(asset.parts, desc=name, unit="file", leave=False, delay=2):
        _fetch_file(part, of=asset)
    return asset.file


def _fetch_file(asset: Asset, of: Asset) -> None:
    if asset.file.is_file():
        _verify(asset)
        return
    if not asset.urls:
        raise CompanionError(
            f"The file of {asset.name} is not at {asset.file}, and no public address holds it; put it there by hand"
            f"{_or_instead(of)}."
        )
    failures = [failure for url in asset.urls if (failure := _download(asset, url)) is not None]
    if not asset.file.is_file():
        by_hand = (
            f"put the {len(of.parts)} files by hand into {of.file} (from {of.urls[0]})"
            if of.members
            else f"put the file by hand at {of.file}"
        )
        raise CompanionError(
            f"Could not fetch {of.name} ({_megabytes(of.size)}; {failures[-1]}): connect to the network and try again, "
            f"or {by_hand}{_or_instead(of)}."
        )


def _download(asset: Asset, url: str) -> str | None:
    """Try one source; None when the file is there and right, else the reason in a few words."""
    downloader = pooch.HTTPDownloader(progressbar=asset.size > 2_000_000, timeout=20)
    pooch.utils.get_logger().setLevel("ERROR")
    try:
        pooch.retrieve(
            url,
            known_hash=f"sha256:{asset.sha256}",
            path=asset.file.parent,
            fname=asset.file.name,
            downloader=downloader,
        )
    except ValueError:  # pooch's word for a wrong checksum
        return f"what {url.split('/')[2]} sent has another checksum"
    except RequestException as error:  # an OSError too
        return type(error).__name__
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CompanionError(
                f"The disk is full, and {asset.name} needs {_megabytes(asset.size)} in {asset.file.parent}; "
                "free some space, or set COMPANION_CACHE to a folder elsewhere."
            ) from None
        raise CompanionError(
            f"The cache folder {asset.file.parent} cannot be written; set COMPANION_CACHE to a folder of yours."
        ) from None
    return None


def _verify(asset: Asset) -> None:
    if pooch.file_hash(str(asset.file), alg="sha256") != asset.sha256:
        raise CompanionError(
            f"The file {asset.file} is not the published {asset.name} (wrong checksum); delete it and fetch it "
            f"again{_or_instead(asset)}."
        )


def _or_instead(asset: Asset) -> str:
    return f", or use “{asset.instead}”, which needs no download" if asset.instead else ""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
