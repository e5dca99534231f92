"""The register of residents and slings: who is behind a token, what was assessed, what was checked.

Role: package of the CLI; the controller reads its one file when nobody is being lifted. Must never:
share a file with the ledger (a token leads from a record to a person only through here).
"""
