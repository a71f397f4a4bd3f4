#!/bin/sh
# Starts Redis (or Valkey) with one restricted user for each service.
#
#   redis-start.sh DIR PORT BIND
#
# DIR keeps the data. Passwords come from the environment: REDIS_PASSWORD for
# the administrator (user `default`), USERS_REDIS_PASSWORD and so on for the
# services. REDIS_SERVER names the program, redis-server by default.
set -eu
dir=$1 port=$2 bind=$3
config=$dir/redis.conf

# A service reaches only keys and channels that begin with its own name.
# KEYS is there for Dramatiq, whose script looks for a dead worker's messages
# with it: it shows others' names, never their values. FUNCTION would let a
# service replace code that all share.
service_user() {
  echo "user $1 on >$2 ~$1:* &$1:* -@all +@read +@write +@connection +@transaction +@pubsub" \
    "+eval +evalsha +script|load +script|exists -@dangerous +keys -function"
}

mkdir -p "$dir"
umask 077
rm -f "$config"
{
  cat <<CONFIG
bind $bind
port $port
dir "$dir"
databases 16
protected-mode no
daemonize no
appendonly yes
appendfsync always
save ""
maxmemory ${REDIS_MAXMEMORY:-192mb}
maxmemory-policy noeviction
user default on >$REDIS_PASSWORD ~* &* +@all
CONFIG
  service_user users "$USERS_REDIS_PASSWORD"
  service_user courses "$COURSES_REDIS_PASSWORD"
  service_user chat "$CHAT_REDIS_PASSWORD"
  service_user analytics "$ANALYTICS_REDIS_PASSWORD"
} >"$config"

# A container starts this as root, to own the volume, and names the user to go on as.
set -- "${REDIS_SERVER:-redis-server}" "$config"
if [ -n "${RUN_AS:-}" ]; then
  chown -R "$RUN_AS" "$dir"
  for drop in gosu su-exec; do
    ! command -v "$drop" >/dev/null || exec "$drop" "$RUN_AS" "$@"
  done
  exec setpriv --reuid="$RUN_AS" --regid="$RUN_AS" --clear-groups "$@"
fi
exec "$@"
