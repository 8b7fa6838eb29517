#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# run-demo.sh SERIES: selftests/demo.sh on this kernel if it takes BPF LSM programs and enforces,
# else in the VM on a Debian kernel of SERIES. Says which, exits with the demo's status.
set -euo pipefail
cd "$(dirname "$0")/.."

if ((EUID == 0)) && doctor=$(build/policyctl doctor 2>&1); then
	echo "this kernel ($(uname -r)) takes BPF LSM programs: running here"
	PATH=$PWD/build:$PATH POL_GUESTS=$PWD/build/selftests/guests exec sh selftests/demo.sh
fi
if ((EUID != 0)); then
	echo "not root: running in a VM"
else
	echo "this kernel ($(uname -r)) cannot enforce: running in a VM. policyctl doctor says:"
	printf '%s\n' "$doctor" | sed 's/^/    /'
fi
.ci/kernels.sh "$1" >/dev/null
exec selftests/run.sh --kernel "$1" --mode run --script /selftests/demo.sh
