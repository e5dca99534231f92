"""The way to a knowledge centre and back: documents, signatures, and the one process that has both.

Role: package of the remote process and of the protocol both ends share. Must never: hold a verb
that moves, permits, resets, releases or plans anything; `documents.py` is the whole list.
"""
