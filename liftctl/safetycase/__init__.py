"""The safety case: hazards, the pages made from them and from the table, and a page to play with.

Role: reads what the service runs on and writes docs/safety/ (`make docs`). Process: none of the
service's. Must never: state a rule, a number or a row of its own.
"""
