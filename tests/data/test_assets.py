"""Guards fetching: what arrives is checked, mirrors are tried, and every failure says where a file may be put by hand.

No test leaves this machine: a web server on the loopback stands for the world.
"""

import hashlib
import io
import os
import re
import shutil
import socket
import subprocess
import tarfile
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from companion.data import assets
from companion.data.assets import Asset, cache_folder, fetch, manifest
from companion.errors import CompanionError

CONTENT = b"seven seas" * 100


class Mirror(ThreadingHTTPServer):
    """Serves what `files` holds, and remembers every request."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.busy: list[tuple[int, str]] = []  # answers before the right one: status, and when to come again
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                if mirror.busy:
                    status, later = mirror.busy.pop(0)
                    self.send_response(status)
                    self.send_header("Retry-After", later)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                content = mirror.files.get(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.send_header("Content-Type", "text/html" if self.path.endswith(".html") else "text/plain")
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *arguments: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


@pytest.fixture
def mirror():
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def closed_url() -> str:
    """Where nobody listens: a port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/x"


@pytest.fixture
def publish(monkeypatch, tmp_path):
    """Put one asset into the manifest, with an empty cache."""

    def one(*urls: str) -> Asset:
        asset = Asset(
            name="seas",
            description="",
            urls=list(urls),
            path="far/away/seas.txt",
            sha256=hashlib.sha256(CONTENT).hexdigest(),
            size=len(CONTENT),
            licence="CC0-1.0",
            attribution="nobody",
            instead="digits",
        )
        monkeypatch.setattr(assets, "manifest", lambda: {"seas": asset})
        return asset

    monkeypatch.setenv("COMPANION_CACHE", str(tmp_path / "cache"))
    return one


def test_a_missing_file_is_downloaded_once_into_its_place(mirror, publish, tmp_path):
    publish(mirror.url("/seas"))
    mirror.files["/seas"] = CONTENT
    place = fetch("seas")
    assert place == tmp_path / "cache/far/away/seas.txt"
    assert place.read_bytes() == CONTENT
    assert fetch("seas") == place
    assert mirror.asked == ["/seas"]


@pytest.mark.parametrize("first", ["/gone", "/wrong", None], ids=["404", "another file", "nobody there"])
def test_the_second_mirror_serves_when_the_first_does_not(mirror, publish, first):
    publish(closed_url() if first is None else mirror.url(first), mirror.url("/seas"))
    mirror.files.update({"/seas": CONTENT, "/wrong": b"a login page"})
    assert fetch("seas").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 502, 503])
@pytest.mark.slow
def test_a_busy_source_is_asked_again_and_whoever_waits_is_told(publish, mirror, capsys, status):
    mirror.files["/seas"] = CONTENT
    mirror.busy = [(status, "0"), (status, "0")]
    asset = publish(mirror.url("/seas"))
    assert fetch("seas").read_bytes() == CONTENT
    assert mirror.asked == ["/seas"] * 3
    assert f"it answers {status}" in capsys.readouterr().err
    assert asset.file.is_file()


@pytest.mark.slow
@pytest.mark.api
def test_a_source_that_stays_busy_is_left_with_its_answer(publish, mirror):
    mirror.files["/seas"] = CONTENT
    mirror.busy = [(503, "0")] * 20
    publish(mirror.url("/seas"))
    with pytest.raises(CompanionError, match="it answers 503"):
        fetch("seas")
    assert len(mirror.asked) == 1 + assets.TRIES


def test_no_source_makes_anybody_wait_for_an_hour(publish, mirror, monkeypatch):
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    mirror.files["/seas"] = CONTENT
    mirror.busy = [(429, "3600")]
    publish(mirror.url("/seas"))
    fetch("seas")
    assert waited == [assets.LONGEST_WAIT]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_refused_is_not_asked_for_again(publish, mirror, status):
    mirror.busy = [(status, "0")]
    publish(mirror.url("/seas"))
    with pytest.raises(CompanionError, match=f"it answers {status}"):
        fetch("seas")
    assert mirror.asked == ["/seas"]


def test_after_a_success_no_further_mirror_is_asked(mirror, publish):
    publish(mirror.url("/seas"), mirror.url("/second"))
    mirror.files.update({"/seas": CONTENT, "/second": CONTENT})
    fetch("seas")
    assert mirror.asked == ["/seas"]


def test_a_download_with_another_checksum_is_refused_and_not_kept(mirror, publish, tmp_path):
    asset = publish(mirror.url("/seas"))
    mirror.files["/seas"] = CONTENT + b"!"
    with pytest.raises(CompanionError, match=r"127\.0\.0\.1:\d+ sent has another checksum"):
        fetch("seas")
    assert not asset.file.exists()
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_without_a_network_the_sentence_names_the_place_and_what_runs_without(publish):
    asset = publish(closed_url(), closed_url())
    with pytest.raises(CompanionError, match="connect to the network") as error:
        fetch("seas")
    assert str(asset.file) in str(error.value)
    assert "“digits”" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_put_by_hand_is_used(publish):
    asset = publish(closed_url())
    asset.file.parent.mkdir(parents=True)
    asset.file.write_bytes(CONTENT)
    assert fetch("seas") == asset.file


def test_a_damaged_file_in_the_cache_is_named_and_never_used(mirror, publish):
    asset = publish(mirror.url("/seas"))
    asset.file.parent.mkdir(parents=True)
    asset.file.write_bytes(CONTENT[:-1])
    with pytest.raises(CompanionError, match="wrong checksum.*delete it") as error:
        fetch("seas")
    assert str(asset.file) in str(error.value)
    assert mirror.asked == []


def test_a_cache_that_cannot_be_made_is_named_and_not_taken_for_a_missing_network(mirror, publish, tmp_path):
    publish(mirror.url("/seas"))
    mirror.files["/seas"] = CONTENT
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(CompanionError, match="cannot be written; set COMPANION_CACHE"):
        fetch("seas")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "cannot be written; set COMPANION_CACHE"),
        (OSError(30, "Read-only file system"), "cannot be written; set COMPANION_CACHE"),
        (OSError(28, "No space left on device"), "disk is full"),
    ],
)
def test_what_the_disk_refuses_is_told_apart_from_the_network(mirror, publish, monkeypatch, error, words):
    asset = publish(mirror.url("/seas"))
    mirror.files["/seas"] = CONTENT

    def refuse(*arguments, **options):
        raise error

    monkeypatch.setattr("companion.files.os.fsync", refuse)
    with pytest.raises(CompanionError, match=words):
        fetch("seas")
    assert list(asset.file.parent.iterdir()) == []


def test_each_source_is_named_with_the_reason_it_gave(mirror, publish):
    publish(mirror.url("/gone"), mirror.url("/login.html"), closed_url())
    mirror.files["/login.html"] = b"<html>"
    with pytest.raises(CompanionError) as error:
        fetch("seas")
    said = str(error.value)
    assert f"{mirror.url('/gone')}: it answers 404 Not Found" in said
    assert f"{mirror.url('/login.html')}: what 127.0.0.1" in said
    assert "is a web page, as of a network that wants a log-in" in said
    assert re.search(r"127\.0\.0\.1:\d+/x: ConnectionError, .*refused", said)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("http_proxy", "http://[half", "settings of a proxy are wrong"),
        ("http_proxy", "nonsense://:x", "prox|settings"),
        ("http_proxy", "http://127.0.0.1:9", "proxy that this machine's settings name cannot be used"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_not_another_checksum(
    mirror, publish, monkeypatch, variable, value, words
):
    publish("http://companion.invalid/seas")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(CompanionError, match=words) as error:
        fetch("seas")
    assert "checksum" not in str(error.value)
    assert "connect to the network" in str(error.value)


def test_certificates_that_are_not_there_are_no_trouble_of_the_cache(publish, monkeypatch, tmp_path):
    publish("https://127.0.0.1:9/seas")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(CompanionError, match=r"certificates are wrong .*none\.pem") as error:
        fetch("seas")
    assert "cannot be written" not in str(error.value)


def test_a_source_that_never_ends_is_left_when_there_is_more_than_the_file(mirror, publish):
    asset = publish(mirror.url("/seas"))
    mirror.files["/seas"] = CONTENT * 10_000
    with pytest.raises(CompanionError, match="another checksum"):
        fetch("seas")
    assert list(asset.file.parent.iterdir()) == []


def test_what_a_killed_download_left_is_removed_and_one_that_goes_on_is_not(mirror, publish):
    asset = publish(mirror.url("/seas"))
    mirror.files["/seas"] = CONTENT
    asset.file.parent.mkdir(parents=True)
    old, fresh = (asset.file.with_name(f".seas.txt.{number}.part") for number in (1, 2))
    for part in (old, fresh):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    fetch("seas")
    assert {path.name for path in asset.file.parent.iterdir()} == {"seas.txt", fresh.name}


def test_a_cache_of_nobodys_is_one_sentence(monkeypatch):
    monkeypatch.setenv("COMPANION_CACHE", "~nobody-of-that-name/x")
    with pytest.raises(CompanionError, match="no such user here; set it to a folder of yours"):
        cache_folder()


def test_every_name_that_a_command_takes_as_data_can_be_asked_for():
    from companion.data import catalogue

    for name, (one, _) in catalogue.named(catalogue.DataSet).items():
        if all(manifest()[asset].here for asset in one.assets):
            assert len(catalogue.fetch(name)) == len(one.assets)


@pytest.fixture
def read_only(tmp_path):
    """Makes a folder read-only for everyone, root too, by mounting it so; skips where that is not allowed."""
    mounted: list[Path] = []

    def lock(folder: Path) -> None:
        command = ["mount", "--bind", "-o", "ro", str(folder), str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("mounting a folder read-only is not allowed here")
        mounted.append(folder)

    yield lock
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_read_only_cache_serves_what_it_holds_without_asking_anybody(mirror, publish, read_only):
    asset = publish(mirror.url("/seas"))
    asset.file.parent.mkdir(parents=True)
    asset.file.write_bytes(CONTENT)
    read_only(cache_folder())
    assert fetch("seas").read_bytes() == CONTENT
    assert mirror.asked == []


def test_a_read_only_cache_that_lacks_the_file_is_named(mirror, publish, read_only):
    publish(mirror.url("/seas"))
    mirror.files["/seas"] = CONTENT
    cache_folder().mkdir()
    read_only(cache_folder())
    with pytest.raises(CompanionError, match="cannot be written; set COMPANION_CACHE"):
        fetch("seas")


def test_an_unknown_name_is_answered_with_the_nearest_ones():
    with pytest.raises(CompanionError, match="“mnist-train-image”.*mnist-train-images"):
        fetch("mnist-train-image")


def test_the_cache_is_where_the_reader_says_else_where_the_platform_keeps_such_things(monkeypatch):
    monkeypatch.setenv("COMPANION_CACHE", "/somewhere/else")
    assert cache_folder() == Path("/somewhere/else")
    for unset in (
        lambda: monkeypatch.setenv("COMPANION_CACHE", ""),
        lambda: monkeypatch.delenv("COMPANION_CACHE"),
    ):
        unset()
        assert cache_folder().is_absolute()
        assert cache_folder().name.startswith("generative-vision")


@pytest.mark.parametrize("asset", manifest().values(), ids=lambda asset: asset.name)
def test_every_entry_of_the_manifest_is_complete(asset):
    """A source, a checksum, a size, terms and a name to credit."""
    assert re.fullmatch(r"[0-9a-f]{64}", asset.sha256)
    assert asset.size > 0
    assert asset.urls or asset.by_hand
    assert all(re.match(r"https?://[^/]+/.+", url) for url in asset.urls)
    # Only publishers without encryption of their own may lack it, and the checksum then carries the trust alone
    plain = {url.split("/")[2] for url in asset.urls if url.startswith("http://")}
    assert plain <= {"yann.lecun.com", "fashion-mnist.s3-website.eu-central-1.amazonaws.com"}
    assert all((asset.description, asset.licence, asset.attribution))
    path = Path(asset.path)
    assert not path.is_absolute()
    assert ".." not in path.parts


def test_a_file_that_nobody_publishes_is_to_be_put_by_hand(publish):
    publish()
    with pytest.raises(CompanionError, match=r"no public address holds it: .*; put it there by hand, or use"):
        fetch("seas")


def test_no_two_entries_share_a_place_or_a_checksum():
    entries = manifest().values()
    assert len({asset.path for asset in entries}) == len(entries)
    assert len({asset.sha256 for asset in entries}) == len(entries)


def test_files_in_the_cache_have_the_size_the_manifest_states():
    """Those that are there: the others cannot be told without a network."""
    here = [asset for asset in manifest().values() if asset.file.is_file()]
    if not here:
        pytest.skip("no asset is in the cache; set COMPANION_CACHE")
    assert {asset.name: asset.file.stat().st_size for asset in here} == {
        asset.name: asset.size for asset in here
    }


# ---- folders of small files ----

PARTS = {"a.png": b"first", "b.png": b"second"}


@pytest.fixture
def publish_folder(monkeypatch, publish):
    """Put a folder of two files into the manifest."""

    def one(*urls: str) -> Asset:
        lines = "".join(f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in PARTS.items())
        monkeypatch.setattr(assets, "_beside", lambda name: lines)
        folder = replace(publish(*urls), path="far/seas", members="seas.txt")
        monkeypatch.setattr(assets, "manifest", lambda: {"seas": folder})
        return folder

    return one


def test_a_folder_is_fetched_file_by_file_and_only_what_is_missing(mirror, publish_folder, tmp_path):
    folder = publish_folder(mirror.url("/seas/"))
    mirror.files.update({f"/seas/{name}": content for name, content in PARTS.items()})
    folder.file.mkdir(parents=True)
    (folder.file / "a.png").write_bytes(PARTS["a.png"])
    assert not folder.here
    assert fetch("seas") == tmp_path / "cache/far/seas"
    assert mirror.asked == ["/seas/b.png"]
    assert folder.here
    assert {path.name: path.read_bytes() for path in folder.file.iterdir()} == PARTS


def test_a_folder_that_cannot_be_fetched_says_where_its_files_go(publish_folder):
    folder = publish_folder(closed_url() + "/")
    with pytest.raises(CompanionError, match="put the 2 files by hand into") as error:
        fetch("seas")
    assert str(folder.file) in str(error.value)
    assert folder.urls[0] in str(error.value)


def test_a_damaged_file_of_a_folder_is_named(publish_folder):
    folder = publish_folder(closed_url() + "/")
    folder.file.mkdir(parents=True)
    (folder.file / "a.png").write_bytes(PARTS["a.png"])
    (folder.file / "b.png").write_bytes(b"damaged")
    with pytest.raises(CompanionError, match=r"b\.png is not the published"):
        fetch("seas")


def test_each_folders_list_has_the_checksum_the_manifest_states():
    for asset in manifest().values():
        if asset.members:
            assert hashlib.sha256(assets._beside(asset.members).encode()).hexdigest() == asset.sha256
            assert all(re.fullmatch(r"[0-9a-f]{64}", part.sha256) for part in asset.parts)
            assert all(url.endswith("/") for url in asset.urls)


# ---- folders out of archives ----


@pytest.fixture
def publish_archive(monkeypatch, publish):
    """Put a folder of two files into the manifest that an archive holds; give the archive's bytes too."""

    def one(*urls: str) -> tuple[Asset, bytes]:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, content in PARTS.items():
                about = tarfile.TarInfo(f"inside/{name}")
                about.size = len(content)
                archive.addfile(about, io.BytesIO(content))
        sha256 = hashlib.sha256(packed.getvalue()).hexdigest()
        asset = replace(publish(*urls), path="far/seas", archive="inside", count=2, sha256=sha256)
        monkeypatch.setattr(assets, "manifest", lambda: {"seas": asset})
        return asset, packed.getvalue()

    return one


def test_an_archive_is_unpacked_once_and_not_kept(mirror, publish_archive, tmp_path):
    asset, packed = publish_archive(mirror.url("/seas.tar.gz"))
    mirror.files["/seas.tar.gz"] = packed
    assert asset.state.endswith("to fetch")
    assert fetch("seas") == fetch("seas") == tmp_path / "cache/far/seas"
    assert mirror.asked == ["/seas.tar.gz"]
    assert {path.name: path.read_bytes() for path in asset.file.iterdir()} == PARTS
    assert [path.name for path in asset.file.parent.iterdir()] == ["seas"]
    assert asset.state == "here"


def test_an_archive_put_by_hand_is_unpacked_and_so_is_a_part_of_its_folder_taken(publish_archive):
    asset, packed = publish_archive(closed_url() + "/seas.tar.gz")
    with pytest.raises(CompanionError, match=r"put the file by hand at .*far/seas\.tar\.gz"):
        fetch("seas")
    asset.file.mkdir(parents=True)
    (asset.file.parent / "seas.tar.gz").write_bytes(packed)
    assert len(list(fetch("seas").iterdir())) == 2
    (asset.file / "b.png").unlink()
    assert fetch("seas") == asset.file
    assert asset.state == "1 of 2 here"


def test_an_archive_with_another_checksum_is_not_unpacked(mirror, publish_archive):
    asset, packed = publish_archive(mirror.url("/seas.tar.gz"))
    mirror.files["/seas.tar.gz"] = packed + b"!"
    with pytest.raises(CompanionError, match="another checksum"):
        fetch("seas")
    assert not asset.file.exists()
