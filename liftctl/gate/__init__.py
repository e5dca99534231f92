"""The gate: the only process that owns the motion buses, and the only place a motion frame is
made.
"""
