"""What the room grants a technician far away, and what it lets be changed.

Role: package of the support process. Must never: reach the network, move anything, or do what
nobody in the room said yes to.
"""
