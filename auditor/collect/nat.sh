# Prints the rules that lead packets for this host elsewhere: run as root by probe.sh, with the path of /proc in $1.
# No single quote may stand in it. What each tool said is a block:
#
#   |+ begin nft
#   |a line of what it printed, only those that matter, 20,000 at most; `|+ more` says there are others
#   |+ end <exit status>                      127: there is no such program, so nobody knows
#
# Every program costs the host more than its answer is worth, so iptables is asked only where it has rules: the legacy one
# where the kernel has its table `nat` already (asking would make it load one), the newer one where nft shows that table or
# cannot tell.
P=$1
PATH=$PATH:/usr/local/sbin
rules() {
  S=$1
  shift
  echo "|+ begin $1"
  R=127
  command -v "$1" >/dev/null 2>&1 && {
    R=$({ { "$@" 2>/dev/null; echo $? >&3; } | sed -n "20001s/.*/|+ more/p;1,20000{$S
}" >&4; } 3>&1); } 4>&1
  echo "|+ end $R"
}
# Without the program nft nothing tells of rules that iptables did not make, unless the kernel has no nftables.
K=yes
if [ -r $P/modules ] && ! command -v nft >/dev/null 2>&1; then
  while read -r L R; do
    K=
    case $L in nf_tables) K=yes; break ;; esac
  done <$P/modules # without a line where nothing is a module
fi
D="|+ begin nft
|+ end 0"
[ -z "$K" ] || D=$(rules "/^table /b p
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
s/^/|/p" nft -nn list ruleset)
printf "%s\n" "$D"
for X in iptables ip6tables; do
  F=${X%tables}
  case $D in
    *"+ end 0") case $D in *"|table $F nat "*) K=nft ;; *) K= ;; esac ;;
    *) K=nft ;;
  esac
  if [ "$K" ] && command -v $X-nft-save >/dev/null 2>&1; then rules "/^-A /s/^/|/p" $X-nft-save -t nat; fi
  K=
  if [ -e $P/net/${F}_tables_names ]; then
    while read -r L; do
      case $L in nat) K=legacy ;; esac
    done <$P/net/${F}_tables_names
  fi
  if [ "$K" ]; then
    if command -v $X-legacy-save >/dev/null 2>&1; then K=$X-legacy-save; else K=$X-save; fi
    rules "/^-A /s/^/|/p" $K -t nat
  fi
done
exit 0
