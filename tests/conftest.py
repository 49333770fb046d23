"""What holds for every test."""

import os
import signal

from hypothesis import settings

# How this machine's user reaches hosts is no test's business, unless it says so.
os.environ.setdefault("NETAUDIT_SSH_CONFIG", "none")

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would every program they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Two cores, shared: how long one example takes says nothing about the code.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
