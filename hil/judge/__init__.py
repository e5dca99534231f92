"""The judge: drives the ward from outside, like a browser and two hands would, and believes only
the truth log.
"""
