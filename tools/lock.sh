#!/bin/sh
# Renews requirements.txt (what a flight needs) and requirements-dev.txt (and the tools): one file
# each for all Python versions, with hashes, and without the address of any package index.
# Needs `uv`. Versions stay as they are unless --upgrade is given.
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
