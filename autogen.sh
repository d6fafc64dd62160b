#!/bin/sh
# Makes the configure script from a checkout; a release tarball has it already.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force
