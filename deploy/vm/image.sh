#!/bin/sh
# Makes the image of a virtual machine on which the agent is tried: Debian with
# cloud-init, systemd, cgroup v2, runc, crun, CNI plugins and the containerd
# that deploy/prepare.sh found. Made once and kept; takes root, debootstrap and
# about two minutes. Prints the folder with what qemu boots:
#
#   disk.img  vmlinuz  initrd.img
#
# Kept in ${XDG_CACHE_HOME:-$HOME/.cache}/denolet/vm, by all that goes into it.
set -eu

SUITE=trixie
PACKAGES="systemd systemd-sysv udev dbus cloud-init python3-cffi-backend
  linux-image-cloud-amd64 runc crun containernetworking-plugins iproute2
  iptables netplan.io systemd-resolved ca-certificates kmod procps curl
  e2fsprogs qemu-guest-agent"
DISK_SIZE=4G

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/denolet
PATH=$PATH:/usr/sbin:/sbin
export PATH

say() { echo "image: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

[ "$(uname -m)" = x86_64 ] || fail "there is a recipe for x86_64 only"
# shellcheck disable=SC1091 # written by prepare.sh
. "$cache/env.sh"
containerd=$DENOLET_CONTAINERD_BIN

key=$(
  {
    cat "$0" "$here/containerd.service"
    "$containerd/containerd" --version
  } | sha256sum | cut -c 1-16
)
made=$cache/vm/$key

mkdir -p "$cache/vm/debs"
exec 9>"$cache/vm/lock"
flock 9
if [ -e "$made/disk.img" ]; then
  echo "$made"
  exit 0
fi
[ "$(id -u)" = 0 ] || fail "needs root"
command -v debootstrap >/dev/null || fail "needs debootstrap"

scratch=$(mktemp -d "$cache/vm/new.XXXXXX")
root=$scratch/root
finish() {
  # debootstrap may be interrupted while these are mounted.
  for each in proc sys; do
    ! mountpoint -q "$root/$each" || umount "$root/$each"
  done
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

say "making a Debian $SUITE (about two minutes, once)"
# shellcheck disable=SC2086 # a list of words on purpose
debootstrap --variant=minbase --cache-dir="$cache/vm/debs" \
  --include="$(echo $PACKAGES | tr ' ' ,)" \
  "$SUITE" "$root" >"$cache/vm/debootstrap.log" 2>&1 || {
  tail -n 20 "$cache/vm/debootstrap.log" >&2
  fail "debootstrap cannot make a Debian $SUITE"
}

for name in containerd ctr containerd-shim-runc-v2; do
  install -m 0755 "$containerd/$name" "$root/usr/local/bin/$name"
done
# Started by cloud-init, which brings its configuration.
install -m 0644 "$here/containerd.service" "$root/etc/systemd/system/"

echo '/dev/vda / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
# Of cloud-init's modules those that user-data from deploy/ takes: each other
# one costs a translated processor a second.
cat >"$root/etc/cloud/cloud.cfg.d/90_denolet.cfg" <<END
datasource_list: [NoCloud, None]
cloud_init_modules: [write_files, set_hostname]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts_user]
END
# The journal outlives a reboot.
mkdir -p "$root/var/log/journal"
# What would only take time of a machine that lives for minutes.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@.service \
  man-db.timer serial-getty@.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
# Unpacking drivers that this machine never has takes longer than the rest.
printf '%s\n' virtio_pci virtio_blk ext4 >"$root/etc/initramfs-tools/modules"
echo MODULES=list >"$root/etc/initramfs-tools/conf.d/denolet"
chroot "$root" update-initramfs -u >>"$cache/vm/debootstrap.log" 2>&1 ||
  fail "no initrd; see $cache/vm/debootstrap.log"
rm -rf "$root/var/cache/apt" "$root/var/lib/apt/lists"

mkdir "$scratch/made"
cp "$root"/boot/vmlinuz-* "$scratch/made/vmlinuz"
cp "$root"/boot/initrd.img-* "$scratch/made/initrd.img"
mke2fs -q -t ext4 -d "$root" "$scratch/made/disk.img" "$DISK_SIZE"
# What other recipes made is of no use any more.
for old in "$cache"/vm/*/disk.img; do
  [ ! -e "$old" ] || rm -rf "$(dirname "$old")"
done
mv "$scratch/made" "$made"
echo "$made"
