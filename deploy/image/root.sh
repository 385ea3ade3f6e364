#!/bin/sh
# Makes the root folder of a container that holds nothing but a program and what it needs: its shared libraries, the
# certificates of public authorities, a user. Runs on Debian; what it copies is of the Debian that it runs on.
#
# root.sh PROGRAM FOLDER
set -eu
umask 022

program=$1
root=$2

mkdir -p "$root/usr/bin" "$root/etc/meterhouse" "$root/etc/ssl/certs" "$root/usr/share/doc" "$root/var/lib/dpkg/status.d"
mkdir -m 1777 "$root/tmp"
# Lines of the source are most of the file, unless it was built for release. Functions stay in a backtrace, and a panic names its
# line anyway.
strip --strip-debug -o "$root/usr/bin/meterhouse" "$program"

echo 'nonroot:x:65532:65532:nonroot:/etc/meterhouse:/sbin/nologin' > "$root/etc/passwd"
echo 'nonroot:x:65532:' > "$root/etc/group"
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

# package NAME: its licence, and a note for programs that look for packages with known weaknesses.
package() {
    mkdir -p "$root/usr/share/doc/$1"
    cp "/usr/share/doc/$1/copyright" "$root/usr/share/doc/$1/"
    dpkg-query --status "$1" > "$root/var/lib/dpkg/status.d/$1"
}

libraries=$(ldd "$program")
case $libraries in
    *"not found"*) echo "root.sh: a library is missing: $libraries" >&2; exit 1 ;;
esac
package ca-certificates
for library in $(echo "$libraries" | grep -o '/[^ ]*'); do
    mkdir -p "$root$(dirname "$library")"
    cp --dereference "$library" "$root$library"
    # Debian notes the path with or without the /usr that both lead to.
    name=$(dpkg-query --search "*/$(basename "$library")" | sed -n '1s/:.*//p')
    package "$name"
done
