#!/bin/sh
# Starts MongoDB with authentication, as a replica set (rs0) with one member.
#
#   mongo-start.sh DIR PORT BIND
#
# DIR: data folder. MONGO_KEYFILE: shared key of the members (6 to 1024
# base64 characters). MONGOD: program, default mongod.
set -eu
dir=$1 port=$2 bind=$3
key=$dir/replica-set.key

mkdir -p "$dir"
rm -f "$key"
(umask 277 && printf '%s' "$MONGO_KEYFILE" >"$key")

# The smallest cache that MongoDB allows; the default oplog would use 5% of
# the disk.
set -- "${MONGOD:-mongod}" --dbpath "$dir" --port "$port" --bind_ip "$bind" --nounixsocket \
  --replSet rs0 --keyFile "$key" --oplogSize 256 --wiredTigerCacheSizeGB 0.25 --quiet

# Containers run this as root, to change the owner of the volume; RUN_AS is the server's user.
if [ -n "${RUN_AS:-}" ]; then
  chown -R "$RUN_AS" "$dir"
  exec gosu "$RUN_AS" "$@"
fi
exec "$@"
