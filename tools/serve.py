"""Serve the built site on localhost and open a browser, if this machine has a screen."""

import argparse
import contextlib
import os
import sys
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

LAST = 65535  # the largest number of a port


class QuietHandler(SimpleHTTPRequestHandler):
    """Reports what is missing, not every file that is found; never lets a browser keep an old page."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if int(code) >= 400:
            super().log_request(code, size)


def bind(folder: str, port: int) -> ThreadingHTTPServer:
    """A server on `port`, or on the next free one of the ten after it."""
    if not 1 <= port <= LAST:
        sys.exit(f"There is no port {port}; they go from 1 to {LAST}. Name one: make serve PORT=9000")
    for candidate in range(port, min(port + 10, LAST + 1)):
        with contextlib.suppress(OSError):  # taken, or not for everyone
            return ThreadingHTTPServer(("127.0.0.1", candidate), partial(QuietHandler, directory=folder))
    sys.exit(
        f"Ports {port} to {min(port + 9, LAST)} are all taken or not for you. Name a free one: make serve PORT=9000"
    )


def has_screen() -> bool:
    return sys.platform in {"darwin", "win32"} or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    server = bind(options.folder, options.port)
    address = f"http://localhost:{server.server_port}/"
    print(f"The book is at {address}. Ctrl-C stops it.", flush=True)
    if has_screen():
        webbrowser.open(address)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
