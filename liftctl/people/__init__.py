"""What the people a recording is about are owed: notice, assessment, their own file, an incident.

Role: documents filled from a site's settings, its register, its ledger and its black box. Process:
the CLI; read-only. Must never: rank or name a carer, tell one resident of another, or decide what a
person has to judge.
"""
