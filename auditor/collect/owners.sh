# Prints who holds the sockets that listen: run by probe.sh, as root if it may, with the paths of /proc and /etc. Where
# A is set, who holds any socket; where B is, those of the other network namespaces too. $3 is empty, or the rows of our
# own network namespace that may listen, those of each table behind its name: to read a table of TCP again, only to find
# the same rows, costs more than to look through all processes.
#
#   |v <uid> <1: process 1 was read> <processes that were not> <inode of the pid namespace>     the view it had
#   |h <pid> <inode>...   a process, and those of the sockets it holds; it may have several such lines
#   |n <pid> <name>       its name as in /proc/PID/status, which spells newlines and backslashes
#   |g <pid> <path>       one for each control group of its
#   |e <pid> <path>       its program, as the kernel knows it; |E carries on where a path holds a newline
#   |c <pid> <words>      the first 512 bytes of its command line; |C carries on; where A is set, \037 stands between words
#   |o <number>           so many other network namespaces were looked into, if they were to be
#   |u <uid> <name>       of the users of these sockets, those that /etc/passwd has
#   |k <inode>            no process holds it, and after all were read the socket was still there; said by root only
#   |z                    the end
#
# ls follows the links under fd/, so that only numbers come out of it: the inode, the descriptor, and `=` for a socket.
# (A regular file may have the same inode number.) Its complaints come after its list. A process whose first thread has
# ended goes on as a zombie without descriptors, and its other threads have them: those are looked through as well. (A
# thread may also have unshared its descriptors, clone(2); to look through each thread of every process would cost many
# times as much.) What processes choose themselves
# comes out of programs that take many files at once, which print the path first; and since the paths are spelled with
# a random number of this run's (/proc/.//./12/exe), nothing in a name or a command line can pass for such a path.
P=${1:-/proc}
E=${2:-/etc}
A=
B=
LC_ALL=C
export LC_ALL
set +f
H=$3
set -- "$P"/[0-9]*/fd
[ -f "$E/passwd" ] || E=
[ -e "$P/net/tcp" ] && N=$P/net || N=$P/self/net
{
  case $H in ?*) printf "%s\n= =\n" "$H" ;; esac
  if [ $# -le 4000 ]; then
    X=$(ls -1iLF "$P/self/ns/pid" "$@" 2>&1 >&3)
    echo "$X"
  else
    for D in 1 2 3 4 5 6 7 8 9; do
      X=$(ls -1iLF "$P/self/ns/pid" "$P"/$D*/fd 2>&1 >&3)
      echo "$X"
    done
  fi
} 3>&1 | awk -v P="$P" -v E="$E" -v A="$A" -v B="$B" -v D=$# -v N="$N" -v H="${H:+given}" '
  # A row of a table into S, by inode, if it listens; of the table, n is the number of rows before it. False when no
  # other row can: the kernel lists listeners first (request sockets, state 03, may stand among them).
  function row(S, l, file,   a, i, kind) {
    kind = file
    sub(/^.*\/net\//, "", kind)
    sub(/(lite)?6?$/, "", kind)
    i = split(l, a)
    if (n++ == 0) {
      for (; i; i--) c[a[i]] = i
      inode = kind == "packet" || kind == "unix" ? c["Inode"] : kind == "sctp/eps" ? c["INODE"] : 10
      user = kind == "packet" ? c["User"] : kind == "sctp/eps" ? c["UID"] : kind == "unix" ? 0 : 8
      return 1
    }
    if (!A) {
      if (kind == "tcp" && a[4] != "0A") return a[4] == "03"
      if (kind == "udp" && (a[4] != "07" || a[3] !~ /^0+:0000$/)) return 1
      if (kind == "sctp/eps" && a[c["SST"]] != 10) return 1
    }
    if (a[inode] ~ /^[1-9][0-9]*$/) {
      S[a[inode]] = a[user]
      from[a[inode]] = file
    }
    return 1
  }
  # The rows of a table; those of udp three times, as readings lose some.
  function rows(S, file,   l, more) {
    for (more = file ~ /udp6?$/ ? 3 : 1; more; more--) {
      begin()
      while ((getline l < file) > 0 && row(S, l, file));
      close(file)
    }
  }
  # Process p holds this socket.
  function hold(inode) {
    if ((p, inode) in seen) return
    seen[p, inode] = 1
    held[inode] = 1
    h[p] = h[p] " " inode
    if (length(h[p]) > 2000) {
      print "|h " p h[p]
      h[p] = ""
    }
  }
  # The processes whose first thread has ended, as words for ls. Of those that have no descriptors, nearly all are threads
  # of the kernel.
  function headless(   q, l, s, a, words) {
    for (q in listed) if (!(q in readable)) {
      s = ""
      while ((getline l < (bar q "/stat")) > 0) s = s l
      close(bar q "/stat")
      sub(/^.*\) /, "", s)
      split(s, a, " ")
      if (a[1] == "Z" && a[18] > 1) words = words " " bar q "/task/*/fd"
    }
    return words
  }
  function begin() {
    n = 0
    split("", c)
  }
  function tables(S, space,   a, i) {
    i = split("tcp tcp6 udp udp6 udplite udplite6 raw raw6 packet sctp/eps" (A ? " unix" : ""), a)
    for (; i; i--) rows(S, space "/" a[i])
  }
  # What stands behind the spelled path in a line: the pid into Q, what follows it as the result.
  function after(l, mark,   at) {
    at = index(l, mark z)
    if (!at) return ""
    l = substr(l, at + length(mark z))
    Q = l
    sub(/[^0-9].*/, "", Q)
    return substr(l, length(Q) + 1)
  }
  # The programs and the command lines of some processes; what stands between the two, only this run can spell.
  function texts(links, files,   cmd, l, p, x, k, t) {
    cmd = "ls -ln" links " 2>/dev/null; echo " z "; head -c 512 /dev/null" files " 2>/dev/null"
    cmd = cmd " | tr \"\\000\" \"" (A ? "\\037" : " ") "\""
    k = "e"
    while ((cmd | getline l) > 0) {
      if (l == z) {
        k = "c"
        p = ""
      } else if ((x = after(l, k == "e" ? " " : "==> ")) != "") {
        p = index(x, k == "e" ? "/exe -> " : "/cmdline <==") == 1 ? Q : ""
        if (p && k == "e") print "|e " p " " substr(x, 9)
        t = k == "e" ? "E" : "c"
      } else if (p) {
        print "|" t " " p " " l
        t = k == "e" ? "E" : "C"
      }
    }
    close(cmd)
  }
  # Every other network namespace, once: the inode number of a table tells them apart.
  function others(   cmd, l, a, d, own, many) {
    "ls -1iL " P "/self/net/tcp 2>/dev/null" | getline l
    split(l, a)
    own[a[1]] = 1
    many = 0
    for (d = D > 4000 ? 1 : 0; d <= (D > 4000 ? 9 : 0); d++) {
      cmd = "ls -1iL " P "/" (d ? d "*" : "[0-9]*") "/net/tcp 2>/dev/null"
      while ((cmd | getline l) > 0) {
        split(l, a)
        if (a[1] in own || many >= 256) continue
        own[a[1]] = 1
        many++
        sub("/tcp$", "", a[2])
        spaces[a[2]] = 1
      }
      close(cmd)
    }
    return many
  }
  BEGIN {
    if (!H) tables(uid, N)
    if (B) {
      O = others()
      for (space in spaces) tables(uid, space)
    }
    bar = P "/"
  }
  H {
    if ($1 != "=") row(uid, $0, file)
    else if ($2 == "=") H = ""
    else {
      file = N "/" ($2 == "sctp" ? "sctp/eps" : $2)
      begin()
    }
    next
  }
  /^ *[0-9]+ [0-9]/ {
    readable[p] = 1
    if (/=$/ && $1 in uid) hold($1)
    next
  }
  NF == 2 && $2 == bar "self/ns/pid" {
    ns = $1
    next
  }
  /:$/ && index($0, bar) == 1 {
    p = substr($0, length(bar) + 1)
    sub(/[^0-9].*/, "", p)
    listed[p] = 1
    next
  }
  /^ls: / && !/o such / || /rgument list too/ || /not found/ {
    x = index($0, bar)
    l = x ? substr($0, x + length(bar)) : ""
    sub(/[^0-9].*/, "", l)
    bad[l] = 1
  }
  END {
    bads = 0
    for (p in bad) if (!(p in readable)) bads++
    if ((words = headless()) != "") {
      words = "ls -1iLF " bar "self/ns/pid" words " 2>&1"
      while ((words | getline) > 0) {
        if (/:$/ && index($0, bar) == 1) {
          p = substr($0, length(bar) + 1)
          sub(/[^0-9].*/, "", p)
        } else if (/^ *[0-9]+ [0-9]/ && /=$/ && $1 in uid) hold($1)
        else if (/^ls: / && !/o such/) bads++
      }
      close(words)
    }
    me = "-"
    while ((getline l < (bar "self/status")) > 0) if (l ~ /^Uid:/) {
      split(l, a)
      me = a[3]
    }
    print "|v " me " " (("1" in readable) ? 1 : 0) " " bads " " (ns ? ns : 0)
    if (B) print "|o " O
    getline z < (bar "sys/kernel/random/uuid")
    gsub(/[^0-9a-f]/, "", z)
    gsub(/[0-7]/, "./", z)
    gsub(/[89a-f]/, "/", z)
    z = bar z
    count = 0
    exe = ""
    for (p in h) {
      if (h[p]) print "|h " p h[p]
      while ((getline l < (bar p "/status")) > 0) if (l ~ /^Name:/) {
        print "|n " p " " substr(l, 7)
        break
      }
      close(bar p "/status")
      k = ""
      for (n1 = 0; n1 < 32 && (getline l < (bar p "/cgroup")) > 0; n1++) {
        sub(/^[^:]*:[^:]*:/, "", l)
        if (l != "/" && index(k, "\n" l "\n") == 0) print "|g " p " " l
        k = k "\n" l "\n"
      }
      close(bar p "/cgroup")
      exe = exe " " z p "/exe"
      cmdline = cmdline " " z p "/cmdline"
      if (++count % 400 == 0) {
        texts(exe, cmdline)
        exe = cmdline = ""
      }
    }
    if (exe != "") texts(exe, cmdline)
    left = 0
    for (i in uid) {
      if (!(uid[i] in users)) left++
      users[uid[i]] = ""
    }
    while (E && left && (getline l < (E "/passwd")) > 0) {
      split(l, a, ":")
      if (a[3] in users && users[a[3]] == "") {
        users[a[3]] = a[1]
        left--
        print "|u " a[3] " " substr(a[1], 1, 64)
      }
    }
    # Who has not seen every process cannot say that none holds it.
    if (me == "0" && ("1" in readable) && !bads) {
      for (i in uid) if (!(i in held)) doubt[from[i]] = 1
      for (file in doubt) rows(again, file)
      for (i in uid) if (!(i in held) && i in again) print "|k " i
    }
    print "|z"
  }'
