"""What holds for every test."""

from hypothesis import settings

# Two cores, shared: how long one example takes says nothing about the code.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
