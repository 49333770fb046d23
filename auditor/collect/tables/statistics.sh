# The counters of the protocols.
table snmp $T/snmp
table netstat $T/netstat
table snmp6 $T/snmp6
