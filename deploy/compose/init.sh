#!/bin/sh
# Makes what deploy/compose.yaml needs and nobody else may know: passwords, and a first token of the API. What is there already
# stays, so running it again does no harm. The token is shown once, at the end; only its hash is kept.
#
# init.sh [FOLDER]      FOLDER: that of this script, unless another one is named
set -eu

folder=${1:-$(dirname "$0")}
secrets=$folder/secrets
credentials=$folder/config/credentials.toml

# Containers read them as other users. The folder keeps everybody else out.
mkdir -p "$secrets"
chmod 0700 "$secrets"

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
sha256() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }

# keep FILE: the standard input, where the file is not there yet.
keep() {
    [ -e "$1" ] && return
    (umask 077 && cat > "$1.new")
    chmod 0444 "$1.new"
    mv "$1.new" "$1"
    echo "made $1"
}

printf %s "$(random)" | keep "$secrets/clickhouse_password"
printf %s "$(random)" | keep "$secrets/grafana_password"
# The server knows the hash alone. It is made anew with a password that somebody has put there.
hash=$(sha256 "$(cat "$secrets/clickhouse_password")")
if ! grep -qs "$hash" "$secrets/clickhouse_users.xml"; then
    rm -f "$secrets/clickhouse_users.xml"
fi
echo "<clickhouse><meterhouse_password_sha256>$hash</meterhouse_password_sha256></clickhouse>" |
    keep "$secrets/clickhouse_users.xml"

if [ ! -e "$credentials" ]; then
    token=mh_$(random)
    keep "$credentials" <<END
# Who may ask, and for what: docs/credentials.md. A change counts a second later.
[[token]]
name = "first"
sha256 = "$(sha256 "$token")"
permits = ["Billing:Api:ServiceUsageHistory:Show", "#billing:read", "usages:read", "usages:write"]
customers = ["*"]
END
    echo "token: $token"
fi
