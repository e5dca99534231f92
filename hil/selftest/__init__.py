"""The bench tests itself: does a scenario fail when something dangerous is planted?

`operators.py` and `mutants.py` are shared with `make mutation`, which asks the same of the tests.
"""
