#!/bin/sh
# Checks for packages that pip cannot install: Python's venv module, and OpenGL for off-screen use
# (EGL, Mesa's software renderer). Installs missing ones as root on Debian or Ubuntu; otherwise
# prints the command that installs them.
#
#   usage: tools/system_packages.sh           packages for flights
#          tools/system_packages.sh --tests   also packages for tests of windows and web pages
set -eu

missing=
libraries=$(/sbin/ldconfig -p 2>/dev/null || true)
for pair in libEGL.so.1:libegl1 libGL.so.1:libgl1 libGLESv2.so.2:libgles2; do
    case $libraries in
        *"${pair%%:*} "*) ;;
        *) missing="$missing ${pair##*:}" ;;
    esac
done
# libEGL finds its driver, Mesa's or NVIDIA's, through these files.
if ! ls /usr/share/glvnd/egl_vendor.d/*.json /etc/glvnd/egl_vendor.d/*.json 2>/dev/null | grep -q .
then
    missing="$missing libegl-mesa0 libgl1-mesa-dri"
fi
if ! "${PYTHON:-python3}" -c 'import ensurepip' 2>/dev/null; then
    missing="$missing python3-venv"
fi
if [ "${1:-}" = --tests ]; then
    command -v Xvfb >/dev/null || missing="$missing xvfb"
    command -v chromium >/dev/null || missing="$missing chromium"
    # Rerun's window needs Vulkan; without a GPU, Mesa's CPU driver provides it.
    ls /usr/share/vulkan/icd.d/*.json 2>/dev/null | grep -q . || missing="$missing mesa-vulkan-drivers"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: apt-get install$missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
else
    echo "setup: missing on this machine; run: sudo apt-get install$missing" >&2
fi
