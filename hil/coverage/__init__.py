"""How much of the interlock table, the hazards and the fault catalogue a pack of runs has met.

Measured from timelines, never from what a scenario says of itself. Reads the table, changes
nothing.
"""
