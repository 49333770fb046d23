# The collection script: reads the kernel's socket tables and prints them framed. POSIX sh and sed are enough.
# The line N=<32 hex digits>, the nonce, stands above; comments and indentation are removed before it is sent.
#
#   <nonce> B 1
#   <nonce> S name        one section per file; its bytes, every line with `|` in front of it
#   |payload
#                         one newline more, so that a payload without a last newline can be told apart
#   <nonce> E name status
#   <nonce> END <number of sections> name name ...
#
# Everything is inside one pair of braces, so a script that arrives only in part runs nothing.
# Nothing is written, nothing is left behind, and as few processes as possible are started: each costs the host more
# than the reading itself. What the shell can read alone is gathered in O and printed together with the next table.
{
exec </dev/null
umask 077
set -f
unset IFS
LC_ALL=C
PATH=/usr/bin:/bin:/usr/sbin:/sbin:/run/current-system/sw/bin:/system/bin
export LC_ALL PATH
P=/proc
E=/etc
S=/sys
U=no
J=
Z=
Q=
I=
O=
L=
C=0
MOST=20000
NL='
'

# put NAME STATUS [DATA]: a section whose prefixed lines are at hand
put() {
  L="$L $1"
  C=$((C + 1))
  O="$O$N S $1$NL$3$NL$N E $1 $2$NL"
}

# opens FILE: leaves it open as descriptor 3. `command` keeps a failed exec from ending the shell; opening is the only
# honest test, for `[ -r ]` asks the mode bits while SELinux and its like answer at open.
opens() { { command exec 3<"$1"; } 2>/dev/null; }

# why FILE: the word for a file that did not open, in W
why() {
  W=$({ : <"$1"; } 2>&1)
  case $W in
    *ermission* | *'not permitted'*) W=denied ;;
    *) if [ -e "$1" ]; then W=error; else W=absent; fi ;;
  esac
}

# first FILE: its first line in X
first() {
  X=
  if opens "$1"; then
    IFS= read -r X <&3
    exec 3<&-
  fi
}

# stream NAME PROGRAM...: a section that a program prints straight to the controller; W is its status if that fails
stream() {
  X=$1
  shift
  L="$L $X"
  C=$((C + 1))
  printf '%s%s S %s\n' "$O" "$N" "$X"
  "$@" && W=ok
  O="$NL$N E $X $W$NL"
}

# raise FILE...: the files through sudo; the status is that of cat, which stands in front of a pipe
raise() {
  { R=$({ { sudo -n cat "$@"; echo $? >&3; } | sed 's/^/|/' >&4; } 3>&1); } 4>&1
  [ "$R" = 0 ]
}

# closed NAME FILE...: a section whose file did not open, which sudo may still open
closed() {
  why "$2"
  X=$1
  case $U$W in
    yesdenied | askdenied)
      shift
      stream "$X" raise "$@" ;;
    *) put "$X" "$W" ;;
  esac
}

# short NAME FILE [PREFIX]: a few short lines, read by the shell itself; with a prefix, the first run of lines that have
# it. Never a socket table: a shell reads byte by byte, and the kernel then makes up the table row by row, which loses
# rows; and never a number under /proc/sys: those give such a reader their first digit only.
short() {
  D=
  if opens "$2"; then
    while IFS= read -r X; do
      case $X in
        "$3"*) D="$D|$X$NL" ;;
        *) case $D in ?*) break ;; esac ;;
      esac
      X=
    done <&3
    exec 3<&-
    case $3$X in ?*) [ "$3" ] || D="$D|$X" ;; esac
    put "$1" ok "$D"
  else
    closed "$1" "$2"
  fi
}

# table NAME FILE...: one file, or the same one several times
table() {
  if opens "$2"; then
    exec 3<&-
    X=$1
    shift
    W=error
    stream "$X" sed 's/^/|/' "$@"
  else
    closed "$@"
  fi
}

# small NAME FILE: a table that has only its header on most hosts, which the shell can read alone
small() {
  if opens "$2"; then
    D=
    if IFS= read -r H <&3; then D="|$H$NL"; fi
    if IFS= read -r X <&3 || [ "$X" ]; then D=+; fi
    exec 3<&-
    case $D in
      '|'*) put "$1" ok "$D" ;;
      *) table "$@" ;;
    esac
  else
    table "$@"
  fi
}

# add WORD: what stands after it in D, a section of counters, is added to V
add() {
  case $D in
    *"$1"[0-9]*)
      X=${D#*"$1"}
      V=$((V + ${X%%[!0-9]*})) ;;
  esac
}

# connections NAME FILE WIDTH: a tcp table, of whose rows only those that matter travel when there are very many. That
# is the header, every listener, our own connection and all that does not look like a row; of the others, how many
# rows are in each state, and how many of those are short (NF is 12), which the kernel does not count as sockets. No
# regular expressions: they make busybox awk five times slower. Reading on to the end costs some 60 ms for 40,000 rows;
# stopping at the first row that is no listener would save most of it, but give up our own row and the counts, and gVisor
# lists its sockets in no order at all.
connections() {
  if [ "$V" -gt $MOST ] && command -v awk >/dev/null 2>&1 && opens "$2"; then
    exec 3<&-
    W=error
    stream "$1" awk -v w="$3" -v l="$A" -v r="$B" '
      BEGIN {
        split("01 02 03 04 05 06 07 08 09 0B", a)
        for (i in a) k[a[i]]
        l = sprintf(":%04X", l)
        r = sprintf(":%04X", r)
        p = w - 4
      }
      $4 in k && (NF == 17 || NF == 12) && length($2) == w && length($3) == w && length($1) > 1 &&
        (substr($2, p) != l || substr($3, p) != r) {
        n[$4 (NF == 12 ? " short " : " full ")]++
        next
      }
      { print "|" $0 }
      END { for (i in n) print "|# " i n[i] }' "$2"
  else
    table "$1" "$2"
  fi
}

# privileged NAME PROGRAM: a section that a program of ours prints, run as root
privileged() {
  case $G in
    none) put "$1" denied ;;
    *)
      W=error
      stream "$1" $G sh -c "$2" netaudit "$P" ;;
  esac
}

# asks FLAG: whether sudo, so called, runs a shell as root; what it says is printed. Its prompt, a line that nobody can
# guess, goes to the controller, which then writes the password to descriptor 5 for sudo to read: it never comes by here.
# sudo is started by this shell itself, as its memory of a password may depend on that.
asks() {
  SUDO_PROMPT="$NL$N sudo$NL" sudo "$1" sh -c 'echo +' 2>&1 <&5 | {
    Y=1
    while IFS= read -r X; do
      case $X in
        "$N sudo") echo "$X" >&2 ;;
        *)
          case $X in +) Y=0 ;; esac
          printf '|%s\n' "$X" ;;
      esac
    done
    exit $Y
  }
}

# prove: the same as it will be needed; a password is asked for once, and must then be remembered
prove() {
  case $U in
    ask) asks -S && asks -n ;;
    *) asks -n 5<&0 ;;
  esac
}

# holders: the program owners.sh, as root if that may be, and otherwise as far as the account sees. I is where a
# target-kit has put it for sudo to start.
holders() {
  case $I,$G in
    ,none) ;;
    ,*) $G sh -c "$Q" netaudit "$P" "$E" && return ;;
    *) sudo -n "$I" && return ;;
  esac
  sh -c "$Q" netaudit "$P" "$E"
}

echo
echo "$N B 1"

first $P/sys/kernel/ostype
K=$X
first $P/sys/kernel/osrelease
R=$X
first $P/sys/kernel/arch
M=$X
case $K,$M in
  Linux,?*) ;;
  *)
    set -- $(uname -srm 2>/dev/null)
    K=${K:-$1}
    R=${R:-$2}
    M=${M:-$3} ;;
esac
put uname ok "|$K $R $M$NL"
case $K in
  Linux) ;;
  *)
    printf '%s%s END %s%s\n' "$O" "$N" "$C" "$L"
    exit 0 ;;
esac

T=$P/net
[ -e $T/tcp ] || [ ! -e $P/self/net/tcp ] || T=$P/self/net

short hostname $P/sys/kernel/hostname
X=
[ -f $E/os-release ] && opens $E/os-release && {
  while IFS= read -r X; do
    case $X in PRETTY_NAME=*) break ;; esac
    X=
  done <&3
  exec 3<&-
}
case $X in
  PRETTY_NAME=*) put os-release ok "|$X$NL" ;;
  *) put os-release absent ;;
esac
put date ok "|$(date +%s 2>/dev/null)$NL"
X=
opens $P/self/status && {
  while read -r K R X W; do
    [ "$K" = Uid: ] && break
    X=
  done <&3
  exec 3<&-
}
X=${X:-$(id -u 2>/dev/null)}
put uid ok "|$X$NL"
# How a program gets to run as root: as it is, through sudo, or not at all.
G=none
case $X,$U,$I in
  0,*)
    G=
    put sudo absent ;;
  *,no,) put sudo absent ;;
  *,*,?*) put sudo ok "|kit$NL" ;;
  *)
    if command -v sudo >/dev/null 2>&1; then
      W=error
      stream sudo prove
      case $W in ok) G='sudo -n' ;; esac
    else
      put sudo error "|sudo: not found$NL"
    fi ;;
esac
A=
B=
case ${SSH_CONNECTION+set} in
  set)
    D=
    IFS=$NL
    for X in $SSH_CONNECTION; do D="$D|$X$NL"; done
    unset IFS
    set -- $SSH_CONNECTION
    case $#,$4$2 in
      4,*[!0-9]*) ;;
      4,*)
        A=$4
        B=$2 ;;
    esac
    put ssh_connection ok "$D" ;;
  *) put ssh_connection absent ;;
esac
# The same inode number under two processes is the same network namespace; no privilege is needed to see it.
X=unknown
if [ / -ef / ] 2>/dev/null && [ -e $P/1/net/tcp ] && [ -e $P/self/net/tcp ]; then
  if [ $P/1/net/tcp -ef $P/self/net/tcp ]; then X=init; else X=other; fi
fi
put netns ok "|$X$NL"
short cpu_byteorder $S/kernel/cpu_byteorder
# Only kernels before 6.2 leave it to the machine's own arithmetic: 1 is little, 256 is big.
case $W,$D in
  *,'|'*) put od absent ;;
  *) put od ok "|$(printf '\1\0' | od -An -tu2 2>/dev/null)$NL" ;;
esac

# Three numbers with one sed; one by one only where one is missing (IPv6 is off).
X=$(sed 's/^/|/' $P/sys/net/ipv4/ip_local_port_range $P/sys/net/ipv4/ip_local_reserved_ports \
  $P/sys/net/ipv6/bindv6only 2>/dev/null)
IFS=$NL
set -- $X
unset IFS
case $# in
  3)
    put ip_local_port_range ok "$1$NL"
    put ip_local_reserved_ports ok "$2$NL"
    put bindv6only ok "$3$NL" ;;
  *)
    table ip_local_port_range $P/sys/net/ipv4/ip_local_port_range
    table ip_local_reserved_ports $P/sys/net/ipv4/ip_local_reserved_ports
    table bindv6only $P/sys/net/ipv6/bindv6only ;;
esac

# The counters stand around the tables, and the number of connections opened around the counters.
short if_inet6 $T/if_inet6
short snmp.1 $T/snmp Tcp:
V=0
short sockstat.1 $T/sockstat
add 'TCP: inuse '
add ' tw '
short sockstat6.1 $T/sockstat6
add 'TCP6: inuse '
connections tcp $T/tcp 13
connections tcp6 $T/tcp6 37
# The kernel loses rows of the udp tables while other sockets close; three readings together do not.
table udp $T/udp $T/udp $T/udp
table udp6 $T/udp6 $T/udp6 $T/udp6
small udplite $T/udplite
small udplite6 $T/udplite6
small raw $T/raw
small raw6 $T/raw6
small icmp $T/icmp
small icmp6 $T/icmp6
small packet $T/packet
small sctp $T/sctp/eps
short sockstat.2 $T/sockstat
short sockstat6.2 $T/sockstat6
short snmp.2 $T/snmp Tcp:
# Only listening unix sockets, of which there may be thousands of others; all of them where connections are asked for.
if opens $T/unix; then
  exec 3<&-
  W=error
  case $MOST in
    20000) stream unix sed -n -e '1s/^/|/p' -e '/^[^ ]*: [^ ]* [^ ]* 00010000 /s/^/|/p' $T/unix ;;
    *) stream unix sed -e 's/^/|/' -e "$MOST"q $T/unix ;;
  esac
else
  closed unix $T/unix
fi
if [ -f $E/services ] && opens $E/services; then
  exec 3<&-
  W=error
  stream services sed -e 's/^/|/' -e 100000q $E/services
elif [ -e $E/services ] && [ ! -f $E/services ]; then
  put services error
else
  closed services $E/services
fi
table ip_vs $T/ip_vs

# The rules that lead a port elsewhere without any socket. Nothing is asked where no connection is tracked, which they
# need: that would only make the kernel load the modules for it.
case $G in
  none) put nat denied ;;
  *)
    if [ -e $P/sys/net/netfilter/nf_conntrack_max ] || [ -e $T/stat/nf_conntrack ]; then
      privileged nat "$J"
    else
      put nat absent
    fi ;;
esac

# J and Z are the programs nat.sh and namespaces.sh; Z is empty when nobody asked for it.
case $Z in
  '') put namespaces absent ;;
  *) privileged namespaces "$Z" ;;
esac

# Q is the program owners.sh; empty when nobody asked for it.
case $Q in
  '') put owners absent ;;
  *)
    W=error
    stream owners holders ;;
esac
printf '%s%s END %s%s\n' "$O" "$N" "$C" "$L"
exit 0
}
