#!/bin/sh
# Updates requirements.txt (for flights) and requirements-dev.txt (for development, too): one file
# each for all Python versions, with hashes, and without the address of a package index.
# Needs `uv`. Versions stay as they are without --upgrade.
#
#   usage: tools/lock.sh [--upgrade]
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --no-annotate "$@" pyproject.toml
}
compile "$@" --output-file requirements.txt
compile "$@" --extra dev --constraint requirements.txt --output-file requirements-dev.txt
