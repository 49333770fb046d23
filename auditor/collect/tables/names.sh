# What the host calls addresses, networks, protocols and users. Of the users, only name and number travel.

# listing NAME FILE PROGRAM...: a file that somebody edits, if it is one
listing() {
  if [ -f "$2" ] && opens "$2"; then
    exec 3<&-
    W=error
    X=$1
    shift 2
    stream "$X" "$@"
  elif [ -e "$2" ] && [ ! -f "$2" ]; then
    put "$1" error
  else
    closed "$1" "$2"
  fi
}
listing hosts $E/hosts sed -e 's/^/|/' -e 100000q $E/hosts
listing networks $E/networks sed -e 's/^/|/' -e 10000q $E/networks
listing protocols $E/protocols sed -e 's/^/|/' -e 10000q $E/protocols
listing passwd $E/passwd sed -n -e 's/^\([^:]*\):[^:]*:\([0-9]*\):.*/|\2 \1/p' -e 100000q $E/passwd
