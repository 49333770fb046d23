"""What holds for every test."""

import os

from hypothesis import settings

# How this machine's user reaches hosts is no test's business, unless it says so.
os.environ.setdefault("NETAUDIT_SSH_CONFIG", "none")

# Two cores, shared: how long one example takes says nothing about the code.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
