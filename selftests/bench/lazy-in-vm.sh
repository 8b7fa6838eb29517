#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What `make bench-lazy` does in its VM: the lines of lazy.c.
set -eu

sleep 10 # the VM settles
/selftests/bench/lazy >/run/lazy.rows
echo '::file lazy.rows'
base64 /run/lazy.rows
echo ::end
