# What the host calls addresses, networks, protocols and users. Of the users, only name and number travel.
listing hosts $E/hosts sed -e 's/^/|/' -e 100000q $E/hosts
listing networks $E/networks sed -e 's/^/|/' -e 10000q $E/networks
listing protocols $E/protocols sed -e 's/^/|/' -e 10000q $E/protocols
listing passwd $E/passwd sed -n -e 's/^\([^:]*\):[^:]*:\([0-9]*\):.*/|\2 \1/p' -e 100000q $E/passwd
