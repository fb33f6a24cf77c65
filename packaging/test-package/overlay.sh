# A clean Debian to write in: $root. It lies in memory and goes with the mount namespace.
# shellcheck shell=bash
base=$1 work=$2 version=$3
scratch=$work/scratch
mkdir -p "$scratch"
mount -t tmpfs none "$scratch"
mkdir "$scratch"/{up,work,root}
mount -t overlay overlay -o "lowerdir=$base,upperdir=$scratch/up,workdir=$scratch/work" "$scratch/root"
root=$scratch/root
mkdir "$root/packages" "$root/script"
surroundings=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive VERSION="$version")
