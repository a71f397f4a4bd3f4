#!/bin/sh
# Starts Redis (or Valkey) with one restricted user for each service.
#
#   redis-start.sh DIR PORT BIND
#
# DIR: data folder. Passwords: REDIS_PASSWORD for the administrator (user
# `default`), USERS_REDIS_PASSWORD and so on for the services. REDIS_SERVER:
# program, default redis-server.
set -eu
dir=$1 port=$2 bind=$3
config=$dir/redis.conf

# A service can only access keys and channels that begin with its name.
# Dramatiq's script needs KEYS to find messages of dead workers; it shows the
# names of other services' keys, but no values. FUNCTION is forbidden, because
# functions are shared by all users.
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

# Containers run this as root, to change the owner of the volume; RUN_AS is the server's user.
set -- "${REDIS_SERVER:-redis-server}" "$config"
if [ -n "${RUN_AS:-}" ]; then
  chown -R "$RUN_AS" "$dir"
  for drop in gosu su-exec; do
    ! command -v "$drop" >/dev/null || exec "$drop" "$RUN_AS" "$@"
  done
  exec setpriv --reuid="$RUN_AS" --regid="$RUN_AS" --clear-groups "$@"
fi
exec "$@"
