"""The technician's page: sees everything, moves nothing.

Role: package of the desk process. Must never: hold a verb that moves, resets or releases anything.
"""
