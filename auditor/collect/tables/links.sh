# Every interface as /sys/class/net describes it, a line each:
#
#   |<name> <ifindex> <flags> <mtu> <operstate> <carrier> <speed> <duplex> <address> <type> <driver>
#
# `-` stands for what is not there, as speed and carrier are not while the interface is down. No process is started: the
# shell reads each number, and follows the link to the driver by changing its directory.
set +f
D=
K=0
for F in $S/class/net/*; do
  [ -e "$F/ifindex" ] || continue
  K=$((K + 1))
  [ $K -le 4096 ] || break
  R=
  for M in ifindex flags mtu operstate carrier speed duplex address type; do
    { first "$F/$M"; } 2>/dev/null
    R="$R ${X:--}"
  done
  X=-
  command cd -P "$F/device/driver" 2>/dev/null && X=${PWD##*/}
  D="$D|${F##*/}$R $X$NL"
done
command cd /
set -f
if [ -d $S/class/net ]; then put links ok "$D"; else put links absent; fi
