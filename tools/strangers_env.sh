#!/bin/sh
# Makes an environment with a third-party client, and prints the path of its Python.
# tests/contract/test_strangers.py flies the embedded simulator with the AirSim clients, and
# tests/contract/test_quadsim.py serves a client of Socket.IO 2 (socketio4). The environments are
# separate from the project's: both clients need numpy < 2, airsim also an old msgpack. airsim needs
# Python 3.10 or 3.11, because the tornado of its msgpack-rpc-python cannot be imported from 3.12
# on; cosysairsim works up to 3.12; socketio4 conflicts with the python-socketio 5 of the tests.
# Does nothing when the environment is up to date.
#
#   usage: tools/strangers_env.sh airsim|cosysairsim|socketio4 [FOLDER]
#                                               (default: .venv-strangers/NAME beside this project)
set -eu
unset PYTHONPATH # pip would leave out what it finds there
root=$(cd "$(dirname "$0")/.." && pwd)
name=${1:-}
case $name in
    airsim) before=12 others="python3.11 python3.10" ;;
    cosysairsim) before=13 others="python3.12 python3.11 python3.10" ;;
    socketio4) before=14 others="python3.13 python3.12 python3.11 python3.10" ;;
    *) echo "usage: tools/strangers_env.sh airsim|cosysairsim|socketio4 [FOLDER]" >&2; exit 2 ;;
esac
folder=${2:-$root/.venv-strangers/$name}
packages=$root/tests/contract/strangers/$name.txt
stamp=$folder/made-from
wanted=$(cat "$root/requirements-legacy-build.txt" "$packages" | cksum)

if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    python=
    for candidate in "${PYTHON:-python3}" $others; do
        if "$candidate" -c "import sys; sys.exit(not (3, 10) <= sys.version_info < (3, $before))" \
            2>/dev/null; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "strangers_env.sh: $name needs Python 3.10 to 3.$((before - 1)); set PYTHON=..." >&2
        exit 2
    fi
    rm -rf "$folder"
    "$python" -m venv "$folder"
    pip="$folder/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes"
    # airsim's setup.py imports its requirements, so they are installed before it. It also requires
    # OpenCV, which it does not use: hence --no-deps and a list of its own.
    $pip -r "$root/requirements-legacy-build.txt" >&2
    grep -v '^ *#' "$packages" | awk '/==/ { mine = /^airsim==/ } !mine' >"$folder/needed.txt"
    grep -v '^ *#' "$packages" | awk '/==/ { mine = /^airsim==/ } mine' >"$folder/last.txt"
    for list in needed last; do
        [ ! -s "$folder/$list.txt" ] ||
            $pip --no-deps --no-build-isolation -r "$folder/$list.txt" >&2
    done
    echo "$wanted" >"$stamp"
fi
echo "$folder/bin/python"
