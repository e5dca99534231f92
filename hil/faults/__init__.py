"""The fault catalogue: what can be injected, on which planes, and how it is proved."""
