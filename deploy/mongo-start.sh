#!/bin/sh
# Starts MongoDB as a replica set of one (rs0) that demands a login.
#
#   mongo-start.sh DIR PORT BIND
#
# DIR keeps the data. MONGO_KEYFILE is the members' shared key (6 to 1024
# base64 characters). MONGOD names the program, mongod by default.
set -eu
dir=$1 port=$2 bind=$3
key=$dir/replica-set.key

mkdir -p "$dir"
rm -f "$key"
(umask 277 && printf '%s' "$MONGO_KEYFILE" >"$key")

# The smallest cache that MongoDB allows; without --oplogSize it would set
# aside a twentieth of the disk.
set -- "${MONGOD:-mongod}" --dbpath "$dir" --port "$port" --bind_ip "$bind" --nounixsocket \
  --replSet rs0 --keyFile "$key" --oplogSize 256 --wiredTigerCacheSizeGB 0.25 --quiet

# A container starts this as root, to own the volume, and names the user to go on as.
if [ -n "${RUN_AS:-}" ]; then
  chown -R "$RUN_AS" "$dir"
  exec gosu "$RUN_AS" "$@"
fi
exec "$@"
