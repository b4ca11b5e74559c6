#!/bin/sh
# Makes an environment with another simulator's renderer, for `make bench` to be measured against,
# and prints its Python. It is no dependency of this project. Does nothing when it is there.
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
    # Its wheels are for some versions of Python; on others it would be built for many minutes.
    # shellcheck disable=SC2086
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
        $packages >&2
    echo "$packages" >"$stamp"
fi
echo "$folder/bin/python"
