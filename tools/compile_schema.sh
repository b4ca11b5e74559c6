#!/bin/sh
# Compiles flight_log.proto to flight_log.desc; needs grpcio-tools (extra [dev]).
#
#   usage: tools/compile_schema.sh          PYTHON=/path/to/python chooses the interpreter
set -eu
cd "$(dirname "$0")/../followme_uav/log"
"${PYTHON:-../../.venv/bin/python}" -m grpc_tools.protoc --proto_path=. \
    --descriptor_set_out=flight_log.desc flight_log.proto
