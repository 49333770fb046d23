# The routing tables: what /proc shows of them, which for IPv4 is the main one.
table route $T/route
table ipv6_route $T/ipv6_route
