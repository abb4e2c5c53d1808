#!/bin/sh
# Makes bench/peers/.venv with the pinned peers, from PyPI. Does nothing when it is there already.
set -eu
cd "$(dirname "$0")"
[ -e .venv/installed ] && cmp -s requirements.txt .venv/installed && exit 0
python3 -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "the pinned peers need Python 3.11 to 3.13")'
rm -rf .venv
python3 -m venv .venv || { echo "no virtual environments here: apt-get install python3-venv" >&2; exit 1; }
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps smartnoise-synth==1.0.8
.venv/bin/python -c 'import pacsynth, mbi; from snsynth.mst import MSTSynthesizer; from snsynth.aim import AIMSynthesizer'
cp requirements.txt .venv/installed
