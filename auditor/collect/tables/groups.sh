# The multicast groups that interfaces are in.
table igmp $T/igmp
table igmp6 $T/igmp6
