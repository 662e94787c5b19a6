#!/bin/sh
# Makes the secrets of docker-compose.yml that are missing: passwords at random (or from the environment), and the addresses
# that hold them, a file each. What is there is kept: run again, it changes nothing.
#   sh deploy/make-secrets.sh [DIRECTORY]
set -eu
umask 077
directory=${1:-$(dirname "$0")/secrets}
# Nobody else gets into the directory; each file can be read by whichever user a container runs as, and is mounted alone.
mkdir -p "$directory"
cd "$directory"

keep() { # NAME CONTENT
  [ -e "$1" ] || { printf '%s\n' "$2" >"$1.new" && chmod 0444 "$1.new" && mv "$1.new" "$1"; }
}
password() { # NAME VARIABLE
  eval "given=\${$2:-}"
  keep "$1" "${given:-$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')}"
  read -r made <"$1"
  case $made in *[!A-Za-z0-9_-]*) echo "$2: letters, digits, - and _ only: it stands in addresses" >&2 && exit 1 ;; esac
  eval "$2=\$made"
}

password eventstore-password EVENTSTORE_PASSWORD
password eventstore-ops-password EVENTSTORE_OPS_PASSWORD
# The servers' own administrators, which no program is: each program has a role that owns its database and nothing else.
password postgres-password POSTGRES_PASSWORD
password vault-postgres-password VAULT_POSTGRES_PASSWORD
password readmodels-password READMODELS_PASSWORD
password control-password CONTROL_PASSWORD
password vault-password VAULT_PASSWORD
password analyst-password ANALYST_PASSWORD
password redis-password REDIS_PASSWORD

keep eventstore-url "esdb://admin:$EVENTSTORE_PASSWORD@kurrentdb:2113?tls=true&tlsCAFile=/certificates/ca.crt"
keep database-url "postgres://readmodels:$READMODELS_PASSWORD@postgres/readmodels"
keep control-database-url "postgres://control:$CONTROL_PASSWORD@postgres/control"
keep vault-database-url "postgres://vault:$VAULT_PASSWORD@vault-postgres/vault"
keep redis-url "redis://:$REDIS_PASSWORD@redis:6379"
keep redis-conf "requirepass $REDIS_PASSWORD"
# KurrentDB takes its first passwords from its environment and from nowhere else: docker compose reads this file.
keep kurrentdb.env "KURRENTDB_DEFAULT_ADMIN_PASSWORD=$EVENTSTORE_PASSWORD
KURRENTDB_DEFAULT_OPS_PASSWORD=$EVENTSTORE_OPS_PASSWORD"
