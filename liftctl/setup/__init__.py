"""A configuration that was proposed from afar: what may change, who judges it, what is in force.

Role: package used by the support process and by whoever loads a site. Must never: change a number
while anything moves or anybody hangs, or by the word of one person alone.
"""
