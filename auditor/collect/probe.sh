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
F=
H=
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

# add WORD: what stands after it in D, a section of counters, is added to V
add() {
  case $D in
    *"$1"[0-9]*)
      X=${D#*"$1"}
      V=$((V + ${X%%[!0-9]*})) ;;
  esac
}

# listing NAME FILE PROGRAM...: what a program prints of a file that somebody edits, if it is one
listing() {
  if [ -e "$2" ] && [ ! -f "$2" ]; then
    put "$1" error
  elif opens "$2"; then
    exec 3<&-
    W=error
    X=$1
    shift 2
    stream "$X" "$@"
  else
    closed "$1" "$2"
  fi
}

# one NAME FILE...: a section of `sockets`, by itself. Of unix sockets only those that listen, as there may be thousands of
# others; all of them where connections are asked for.
one() {
  case $1,$MOST in
    snmp.*) short "$@" Tcp: ;;
    if_inet6,* | sockstat*) short "$@" ;;
    unix,20000) listing "$@" sed -n -e '1s/^/|/p' -e '/^[^ ]*: [^ ]* [^ ]* 00010000 /s/^/|/p' "$2" ;;
    unix,*) listing "$@" sed -e 's/^/|/' -e "$MOST"q "$2" ;;
    services,*) listing "$@" sed -e 's/^/|/' -e 100000q "$2" ;;
    *) table "$@" ;;
  esac
}

# plan NAME FILE...: the same, to come with `gather`. Behind each table stands the name of the kernel.
plan() {
  L="$L $1"
  C=$((C + 1))
  K="$K $1"
  case $1 in
    unix) ;;
    *)
      shift
      F="$F $* $P/sys/kernel/ostype" ;;
  esac
}

# either NAME FILE...: the one where it takes sudo to open the file, otherwise the other
either() {
  W=
  if opens "$2"; then exec 3<&-; else why "$2"; fi
  case $W in
    denied)
      flush
      one "$@" ;;
    *) plan "$@" ;;
  esac
}

# flush: what was planned is printed. To H go the rows that may listen, for `holders`, if it needs them; or that they are
# too many.
flush() {
  case $K in '') return ;; esac
  printf '%s' "$O"
  O=
  W=ok
  if opens $T/unix; then exec 3<&-; else why $T/unix; fi
  X=
  case $MOST,$I,$G,$Q in
    20000,,,?* | 20000,,none,?*) { X=$(gather 1 2>&1 >&4); } 4>&1 ;;
    *) gather '' ;;
  esac
  case $H,$X in
    more,* | *,more) H=more ;;
    *,?*) H="$H$X$NL" ;;
  esac
  K=
  F=
}

# gather HAND: what was planned, with two programs. cat takes the tables in pieces as large as the kernel makes them: with
# smaller ones more rows get lost; and for each that is not full, the kernel looks through all places of its hash table
# for connections, up to half a million, which costs more than all the rest. awk frames what comes, and takes cat's
# complaints for the status. /proc/net/unix it reads by itself: every user can bring lines into that table.
#
# Of tables of TCP with very many rows (v) only those that matter travel: the header, every listener, our own connection
# and all that does not look like a row; of the others, how many rows are in each state, and how many of those are short
# (NF is 12), which the kernel does not count as sockets. Reading on to the end costs some 60 ms for 40,000 rows; stopping
# at the first row that is no listener would save most of it, but give up our own row and the counts, and gVisor lists
# its sockets in no order at all. No regular expression meets such a row: busybox is slow at them.
#
# With HAND the rows that may listen go to standard error as well, each table behind its name: see owners.sh.
gather() {
  cat $F 2>&1 | N=$N awk -v names="$K" -v v=$((V > MOST)) -v most="$MOST" -v l="$A" -v r="$B" -v hand="$1" \
    -v file="$T/unix" -v opened="$W" '
    function begin() {
      if (++i > n) return
      name = order[i]
      print N " S " name
      status = "ok"
      tcp = name ~ /^tcp/
      width = v && tcp ? name == "tcp" ? 13 : 37 : 0
      wanted = !hand ? "" : tcp ? "0A" : name ~ /^udp/ ? "07" : name ~ /^(raw|packet|sctp)/ ? "any" : ""
      if (wanted) rows[++m] = "= " name
      first = 1
      counters = name ~ /^snmp/
      if (name == "unix") {
        sockets()
        end("")
      }
    }
    function end(line,   x) {
      for (x in states) print "|# " x states[x]
      split("", states)
      print line
      print N " E " name " " status
      begin()
    }
    function sockets(   line, c, x) {
      if (opened == "ok")
        while ((x = (getline line < file)) > 0 && c++ < most)
          if (c == 1 || most > 20000 || line ~ /^[^ ]*: [^ ]* [^ ]* 00010000 /) print "|" line
      status = x < 0 ? "error" : opened
    }
    BEGIN {
      N = ENVIRON["N"]
      split("01 02 03 04 05 06 07 08 09 0B", a)
      for (i in a) known[a[i]]
      l = sprintf(":%04X", l)
      r = sprintf(":%04X", r)
      n = split(names, order)
      i = 0
      begin()
    }
    width && $4 in known && (NF == 17 || NF == 12) && length($2) == width && length($3) == width && length($1) > 1 &&
      (substr($2, width - 4) != l || substr($3, width - 4) != r) {
      states[$4 (NF == 12 ? " short " : " full ")]++
      next
    }
    substr($0, 1, 5) == "cat: " {
      status = /ermission|not permitted/ ? "denied" : /o such file/ ? "absent" : "error"
      next
    }
    name == "services" {
      if (lines++) print "|" held
      held = $0
      if (lines > 100000) exit
      next
    }
    substr($0, length($0) - 4) == "Linux" {
      end(length($0) > 5 ? "|" substr($0, 1, length($0) - 5) : "")
      next
    }
    counters && substr($0, 1, 4) != "Tcp:" { next }
    wanted && (first || wanted == "any" || $4 == wanted) && m <= 5000 {
      rows[++m] = $0
      first = 0
    }
    { print "|" $0 }
    END {
      if (name == "services") {
        if (!sub(/Linux$/, "", held) && lines <= 100000) status = "error"
        end(held == "" || lines > 100000 ? "" : "|" held)
      }
      if (hand && m > 5000) print "more" > "/dev/stderr"
      else for (i = 1; i <= m; i++) print rows[i] > "/dev/stderr"
    }'
}

# privileged NAME PROGRAM: a section that a program of ours prints, run as root
privileged() {
  W=error
  case $G in
    none) put "$1" denied ;;
    '') stream "$1" within "$2" ;;
    *) stream "$1" $G sh -c "$2" netaudit "$P" ;;
  esac
}

# within PROGRAM: one that is to run with our own rights runs in a subshell, which costs a third of another shell
within() {
  (
    X=$1
    set +f
    set -- "$P" "$E" "$H"
    eval "$X"
  )
}

# asks FLAG: whether sudo, so called, runs a shell as root; what it says is printed. Its prompt, a line that nobody can
# guess, goes to the controller, which then writes the password to descriptor 5 for sudo to read: it never comes by here.
# sudo is started by this shell itself, as its memory of a password may depend on that.
asks() {
  # ksh runs the end of a pipeline itself, where an exit would end it.
  SUDO_PROMPT="$NL$N sudo$NL" sudo "$1" sh -c 'echo +' 2>&1 <&5 | (
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
  )
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
    , | ,none) ;;
    ,*) $G sh -c "$Q" netaudit "$P" "$E" && return ;;
    *) sudo -n "$I" && return ;;
  esac
  within "$Q"
}

# sockets DO: the sections with all that decides, in their order. The counters stand around the tables, and the number of
# connections opened around the counters.
sockets() {
  $1 ip_local_port_range $P/sys/net/ipv4/ip_local_port_range
  $1 ip_local_reserved_ports $P/sys/net/ipv4/ip_local_reserved_ports
  $1 bindv6only $P/sys/net/ipv6/bindv6only
  $1 if_inet6 $T/if_inet6
  $1 snmp.1 $T/snmp
  $1 sockstat.1 $T/sockstat
  $1 sockstat6.1 $T/sockstat6
  $1 tcp $T/tcp
  $1 tcp6 $T/tcp6
  # The kernel loses rows of the udp tables while other sockets close; three readings together do not.
  $1 udp $T/udp $T/udp $T/udp
  $1 udp6 $T/udp6 $T/udp6 $T/udp6
  $1 udplite $T/udplite
  $1 udplite6 $T/udplite6
  $1 raw $T/raw
  $1 raw6 $T/raw6
  $1 icmp $T/icmp
  $1 icmp6 $T/icmp6
  $1 packet $T/packet
  $1 sctp $T/sctp/eps
  $1 sockstat.2 $T/sockstat
  $1 sockstat6.2 $T/sockstat6
  $1 snmp.2 $T/snmp
  $1 unix $T/unix
  if [ -f $E/services ]; then $1 services $E/services; fi
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

# How many connections there are to be read.
V=0
for X in $T/sockstat $T/sockstat6; do
  D=
  if opens $X; then
    while IFS= read -r X; do D="$D$X$NL"; done <&3
    exec 3<&-
  fi
  add 'TCP: inuse '
  add 'TCP6: inuse '
  add ' tw '
done

Y=one
first $P/sys/kernel/ostype
if [ "$X" = Linux ] && command -v cat >/dev/null 2>&1 && command -v awk >/dev/null 2>&1; then
  Y=plan
  case $U in no) ;; *) Y=either ;; esac
fi
K=
sockets $Y
flush
case $H in more) H= ;; esac
if [ ! -f $E/services ]; then
  if [ -e $E/services ]; then put services error; else closed services $E/services; fi
fi
table ip_vs $T/ip_vs

# The rules that lead a port elsewhere without any socket. Nothing is asked where no connection is tracked, which they
# need: that would only make the kernel load the modules for it.
if [ -e $P/sys/net/netfilter/nf_conntrack_max ] || [ -e $T/stat/nf_conntrack ]; then
  privileged nat "$J"
else
  put nat absent
fi

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
