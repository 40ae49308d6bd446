#!/bin/sh
# The tests' Debian packages: a browser for the pages, and letters of East Asia for the labels.
# Installs those that are missing where it may, on Debian as root; else says what to do.
set -eu

missing=
command -v chromium > /dev/null || missing=chromium
[ -n "$(find /usr/share/fonts ~/.fonts -name 'DroidSansFallback*' 2> /dev/null)" ] ||
    missing="$missing fonts-droid-fallback"
[ -n "$missing" ] || exit 0

if command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
    echo "installing$(printf ' %s' $missing)"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 (one word a package)
    apt-get update -qq && apt-get install -qq --no-install-recommends --yes $missing > /dev/null
elif command -v apt-get > /dev/null; then
    echo "the tests need packages; install them with: sudo apt-get install$(printf ' %s' $missing)"
else
    echo "the tests of pages need Chromium as the command chromium; without it they fail"
fi
