"""ssh_config files and a host in, what OpenSSH's own client would use for it out.

    config = read_config(choice, read_local())     # files → sections, with every mistake by line
    resolution = resolve(config, name, ...)        # one host → settings, each with its place

See ssh_config(5); where that is silent, the order of things is that of readconf.c and ssh.c of OpenSSH 9.2.
"""
