"""A recording of a real site becomes a regression: decode, decide again, compare.

Open loop: what the recording holds is given to today's code, whatever it answers. Never a way to
drive, and never a judgement of the plant: there is none.
"""
