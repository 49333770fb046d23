# Prints the rules that lead packets for this host elsewhere: run as root by probe.sh, with the path of /proc in $1.
# No single quote may stand in it. What each tool said is a block:
#
#   |+ begin nft
#   |a line of what it printed, only those that matter, 20,000 at most; `|+ more` says there are others
#   |+ end <exit status>
#
# Legacy iptables are asked only where the kernel has their tables already: asking would make it load them.
P=$1
PATH=$PATH:/usr/local/sbin
rules() {
  S=$1
  shift
  command -v "$1" >/dev/null 2>&1 || return 0
  echo "|+ begin $1"
  { R=$({ { "$@" 2>/dev/null; echo $? >&3; } | sed -n "20001s/.*/|+ more/p;1,20000{$S
}" >&4; } 3>&1); } 4>&1
  echo "|+ end $R"
}
rules "/^table /b p
/hook prerouting/b p
/^[[:space:]]*chain /b p
/^[[:space:]]*map /b p
/^[[:space:]]*set /b p
/dnat/b p
/redirect/b p
/jump/b p
/goto/b p
d
:p
s/^/|/p" nft -nn list ruleset
for X in iptables ip6tables; do
  if command -v $X-nft-save >/dev/null 2>&1; then rules "/^-A /s/^/|/p" $X-nft-save -t nat; fi
  if [ -e $P/net/${X%tables}_tables_names ]; then
    if command -v $X-legacy-save >/dev/null 2>&1; then
      rules "/^-A /s/^/|/p" $X-legacy-save -t nat
    else
      rules "/^-A /s/^/|/p" $X-save -t nat
    fi
  fi
done
exit 0
