#!/usr/bin/env bash
# The browser tests need Chromium, those of the demos Firefox too; OpenCV and MediaPipe need three graphics libraries on
# Linux, and the test that nothing leaves the machine needs strace there.
# Installs what is missing where apt and root (or password-less sudo) are there; else prints the one command to run.
set -euo pipefail

have_browser() {
  command -v chromium || command -v chromium-browser || command -v google-chrome || command -v google-chrome-stable
} >/dev/null
have_firefox() { command -v firefox-esr || command -v firefox; } >/dev/null
have_library() { ldconfig -p 2>/dev/null | grep -q "$1"; }

missing=()
have_browser || missing+=(chromium)
have_firefox || missing+=(firefox-esr) # Debian's name
if [ "$(uname)" = Linux ] && command -v ldconfig >/dev/null; then
  have_library libEGL.so.1 || missing+=(libegl1)
  have_library libGLESv2.so.2 || missing+=(libgles2)
  have_library libGL.so.1 || missing+=(libgl1)
  command -v pulseaudio >/dev/null || missing+=(pulseaudio)
  command -v pactl >/dev/null || missing+=(pulseaudio-utils)
  command -v strace >/dev/null || missing+=(strace)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
  echo "==> System packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
elif command -v apt-get >/dev/null; then
  echo "Missing: ${missing[*]}. Run this once: sudo apt-get install ${missing[*]}"
elif [[ " ${missing[*]} " == *" chromium "* ]]; then
  echo "No Chromium found; the browser tests will be skipped. Run this once: .venv/bin/playwright install chromium"
else
  echo "Missing: ${missing[*]}. Install them with your system's package manager."
fi
