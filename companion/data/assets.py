"""Files that can be fetched: found in the cache, or downloaded once, and always checked against their SHA-256.

The manifest is `assets.toml` beside this module. The cache is the folder `COMPANION_CACHE` names, else the
platform's own cache folder. Nothing is ever uploaded.
"""

import errno
import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import pooch
from requests import RequestException  # what pooch downloads with

from companion.errors import CompanionError, unknown_name

if sys.version_info >= (3, 11):
    import tomllib
else:  # Python 3.10 has no TOML reader of its own
    import tomli as tomllib


@dataclass(frozen=True)
class Asset:
    """One file of the manifest."""

    name: str
    description: str
    urls: list[str]  # tried in order
    path: str  # below the cache folder
    sha256: str
    size: int  # bytes
    licence: str
    attribution: str
    instead: str = ""  # what runs without it, where something does

    @property
    def file(self) -> Path:
        """Where the file lies, or would lie, in the cache."""
        return cache_folder() / self.path


def cache_folder() -> Path:
    """The folder `COMPANION_CACHE` names, else the platform's cache folder; it need not exist yet."""
    return Path(os.environ.get("COMPANION_CACHE") or pooch.os_cache("generative-vision")).expanduser()


@cache
def manifest() -> dict[str, Asset]:
    """All assets by name."""
    text = files("companion.data").joinpath("assets.toml").read_text(encoding="utf-8")
    return {name: Asset(name=name, **entry) for name, entry in tomllib.loads(text).items()}


def fetch(name: str) -> Path:
    """The asset's file in the cache, downloaded first if it is not there.

    Raises:
        CompanionError: The name is unknown, the file is damaged, the disk refuses it, or no source could be reached;
            the sentence says where a file may be put by hand.
    """
    if name not in manifest():
        raise unknown_name("asset", name, manifest())
    asset = manifest()[name]
    if asset.file.is_file():
        _verify(asset)
        return asset.file
    failures = [failure for url in asset.urls if (failure := _download(asset, url)) is not None]
    if not asset.file.is_file():
        raise CompanionError(
            f"Could not fetch {asset.name} ({_megabytes(asset.size)}; {failures[-1]}): connect to the network and try "
            f"again, or put the file by hand at {asset.file}{_or_instead(asset)}."
        )
    return asset.file


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
