#!/bin/sh
# Makes an environment with another simulator's renderer, which `make bench` compares with, and
# prints the path of its Python. It is no dependency of this project. Does nothing when the
# environment is up to date.
#
#   usage: tools/peer_env.sh [FOLDER]      (default: .venv-peer beside this project)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/.venv-peer}
packages="pybullet==3.2.7 numpy<2"
stamp=$folder/made-from

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$packages" ]; then
    rm -rf "$folder"
    "${PYTHON:-python3}" -m venv "$folder"
    # Without a wheel for this version of Python the build would take many minutes.
    # shellcheck disable=SC2086
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
        $packages >&2
    echo "$packages" >"$stamp"
fi
echo "$folder/bin/python"
