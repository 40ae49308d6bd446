#!/bin/sh
# The tests' Debian packages: a browser for the pages, and letters of East Asia for the labels.
# Installs those that are missing where it may, on Debian as root; elsewhere it says what to do.
set -eu

missing=
command -v chromium > /dev/null || missing="$missing chromium"
[ -n "$(find /usr/share/fonts -name 'DroidSansFallback*' 2> /dev/null)" ] ||
    missing="$missing fonts-droid-fallback"
[ -n "$missing" ] || exit 0

if ! command -v apt-get > /dev/null; then
    echo "the tests need Chromium, as the command chromium, and the font Droid Sans Fallback"
elif [ "$(id -u)" != 0 ]; then
    echo "the tests need packages: sudo apt-get install$missing"
else
    echo "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 (a word for each package)
    apt-get install -qq --yes --no-install-recommends $missing > /dev/null
fi
