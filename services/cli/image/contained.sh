#!/bin/sh
# Usage: unshare --mount contained.sh ROOT UID:GID PROGRAM [ARGUMENT...]
# What a container engine does to a process, as far as it concerns files: the image is all there is, it is read-only, /tmp
# included, and the process is the image's own user. Every step replaces the one before, so that signals reach PROGRAM.
set -eu

root=$1
user=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" "$@"
