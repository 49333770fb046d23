"""Rows and names in, the text of netstat(8) out, line by line as Debian's net-tools writes it."""
