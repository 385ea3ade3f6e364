#!/bin/sh
# Installs a program that `make build` has made, with its units, its user and a first configuration; files of /etc/meterhouse that
# are there already stay. Runs as root.
#
# install.sh PROGRAM [ROOT]      ROOT: a folder to install into, for packages and tests
set -eu

program=$1
root=${2:-}
from=$(dirname "$0")
units=$root/usr/lib/systemd/system
etc=$root/etc/meterhouse

install -D --mode=0755 "$program" "$root/usr/bin/meterhouse"
install -D --mode=0644 "$from/sysusers.conf" "$root/usr/lib/sysusers.d/meterhouse.conf"
install -d --mode=0755 "$units"
install --mode=0644 "$from"/meterhouse-*.service "$from"/meterhouse-*.timer "$units"
install -D --mode=0644 "$from/meterhouse-.service.d/common.conf" "$units/meterhouse-.service.d/common.conf"

if [ -z "$root" ]; then
    systemd-sysusers meterhouse.conf
fi

# The service may read its folder and write nothing; the secrets are for root, who hands them over.
install -d --mode=0750 "$etc"
install -d --mode=0700 "$etc/secrets"
for file in meterhouse.toml catalog.toml subscriptions.csv; do
    [ -e "$etc/$file" ] || install --mode=0640 "$from/config/$file" "$etc/$file"
done

if [ -z "$root" ]; then
    chgrp -R meterhouse "$etc"
    chgrp -R root "$etc/secrets"
    systemctl daemon-reload
fi
