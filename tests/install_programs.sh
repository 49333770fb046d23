#!/bin/sh
# Installs the programs the tests compare netaudit with; without root it says what will be skipped.
set -eu
PATH=$PATH:/usr/sbin:/sbin
missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need sshd openssh-server
need ssh openssh-client
need chromium chromium
need ip iproute2
need ss iproute2
need netstat net-tools
need ethtool ethtool
need nft nftables
need iptables iptables
need busybox busybox
need dash dash
need sudo sudo
need bash bash
need fish fish
need tcsh tcsh
need zsh zsh
need ksh ksh
need strace strace
[ -f /etc/services ] || missing="$missing netbase"
[ -z "$missing" ] && exit 0
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing for the tests: $missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words on purpose
  apt-get install -qq -y --no-install-recommends $missing >/dev/null
else
  echo "tests that need these will be skipped (install them with: apt-get install $missing)"
fi
