"""What holds for every test: properties have no deadline (machines are shared) and the same examples in every run."""

from hypothesis import settings

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
