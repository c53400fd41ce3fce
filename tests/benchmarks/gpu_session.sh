#!/bin/sh
# All that needs a GPU, in one command of at most nine minutes: see gpu_session.py beside this file.
#     tests/benchmarks/gpu_session.sh [--records FILE]
# Without a GPU, --device cpu tries the command itself.
cd "$(dirname "$0")/../.." || exit 2
exec timeout 540 python tests/benchmarks/gpu_session.py "$@"
