#!/bin/sh
# Makes the environment for rpc.backend msgpack-rpc-python, and prints the path of its Python.
# It is separate from the project's environment, because msgpack-rpc-python needs an old msgpack.
# Needs Python 3.10 or 3.11. Does nothing when the environment is up to date.
#
#   usage: tools/legacy_env.sh [FOLDER]        (default: .venv-legacy beside this project)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/.venv-legacy}
stamp=$folder/made-from
wanted=$(cat "$root/requirements-legacy-build.txt" "$root/requirements-legacy.txt" | cksum)

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    python=
    for candidate in "${PYTHON:-python3}" python3.11 python3.10; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 12))' \
            2>/dev/null; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "legacy_env.sh: msgpack-rpc-python needs Python 3.10 or 3.11; set PYTHON=..." >&2
        exit 2
    fi
    rm -rf "$folder"
    "$python" -m venv "$folder"
    pip="$folder/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes"
    # The source packages need setup.py builds, so a pinned setuptools is installed first.
    $pip -r "$root/requirements-legacy-build.txt" >&2
    $pip --no-build-isolation -r "$root/requirements-legacy.txt" >&2
    echo "$wanted" >"$stamp"
fi
echo "$folder/bin/python"
