# What Debian calls an architecture, and what the others call it; sourced.
# shellcheck shell=bash disable=SC2034
declare -A triple=(
    [amd64]=x86_64-unknown-linux-gnu [arm64]=aarch64-unknown-linux-gnu
    [armhf]=armv7-unknown-linux-gnueabihf [i386]=i686-unknown-linux-gnu
)
declare -A compiler=(
    [amd64]=gcc [arm64]=aarch64-linux-gnu-gcc [armhf]=arm-linux-gnueabihf-gcc [i386]=i686-linux-gnu-gcc
)
# RPM's names, and those of the OCI image specification: architecture and variant
declare -A rpm_architecture=([amd64]=x86_64 [arm64]=aarch64 [armhf]=armv7hl [i386]=i686)
declare -A oci_architecture=([amd64]=amd64 [arm64]=arm64 [armhf]=arm [i386]=386)
declare -A oci_variant=([amd64]= [arm64]=v8 [armhf]=v7 [i386]=)
# the program that runs such a binary elsewhere
declare -A emulator=([amd64]= [arm64]=qemu-aarch64-static [armhf]=qemu-arm-static [i386]=qemu-i386-static)
