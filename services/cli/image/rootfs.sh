#!/bin/sh
# Usage: rootfs.sh DIRECTORY
# Makes the root of an image that holds the Node of this machine, the libraries it is linked to, and what those want in
# /etc. Debian's records of the libraries come along, so that scanners know what is inside and licences stand beside.
set -eu

root=$1
node=$(readlink -f "$(command -v node)")
mkdir -p "$root/usr/local/bin" "$root/etc" "$root/tmp" "$root/proc" "$root/dev" "$root/sys"
chmod 1777 "$root/tmp"
cp "$node" "$root/usr/local/bin/node"
chmod 0755 "$root/usr/local/bin/node"
if [ -f "$(dirname "$node")/../LICENSE" ]; then cp "$(dirname "$node")/../LICENSE" "$root/usr/local/LICENSE.node"; fi

# As the loader sees it: "name => /path (address)", and the loader itself without an arrow.
for library in $(ldd "$node" | sed -n 's/^.*=> \(\/[^ ]*\) .*$/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*$/\1/p'); do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
  package=$(dpkg-query --search "$(readlink -f "$library")" "$library" 2>/dev/null | sed -n '1s/: .*$//p') || true
  if [ -n "$package" ]; then
    name=${package%%:*}
    mkdir -p "$root/var/lib/dpkg/status.d" "$root/usr/share/doc/$name"
    dpkg-query --status "$package" > "$root/var/lib/dpkg/status.d/$name"
    if [ -f "/usr/share/doc/$name/copyright" ]; then cp -L "/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/"; fi
  fi
done
if [ -f /etc/os-release ]; then cp -L /etc/os-release "$root/etc/os-release"; fi

printf 'root:x:0:0:root:/:/nonexistent\nnonroot:x:65532:65532:nonroot:/remit:/nonexistent\n' > "$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' > "$root/etc/group"
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
