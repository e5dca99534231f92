"""The wall panel: hold, STOP and state for a browser on the wall, and nothing slower.

Role: package of the panel process. Must never: hold, repeat or renew evidence of a finger.
"""
