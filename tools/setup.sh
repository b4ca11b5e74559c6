#!/bin/sh
# Makes .venv with this project and its requirements. Does nothing when it is up to date.
#
#   usage: tools/setup.sh          PYTHON=/path/to/python3 chooses the interpreter
set -eu
cd "$(dirname "$0")/.."
tools/system_packages.sh

stamp=.venv/made-from
wanted=$(cat requirements-dev.txt pyproject.toml tools/setup.sh | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

python=
for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.10; do
    if "$candidate" -c 'import ensurepip, sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' \
        2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "setup: needs Python 3.10 to 3.13 with venv; install it or set PYTHON=..." >&2
    exit 2
fi

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv
    "$python" -m venv .venv
fi
echo "setup: installing packages into .venv (2 GB, takes some minutes)"
pip=".venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input"
$pip --require-hashes -r requirements-dev.txt
# All requirements are installed with hashes; the project itself must not fetch any others.
$pip --no-deps --no-build-isolation --no-index --editable .
echo "$wanted" >"$stamp"
