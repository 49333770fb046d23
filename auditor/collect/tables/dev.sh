# What every interface has sent and received.
table dev $T/dev
