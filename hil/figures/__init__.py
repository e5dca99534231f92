"""The figures of `make bench`: each printed beside its baseline from the same run, as a ratio."""
