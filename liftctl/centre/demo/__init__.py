"""A centre to look at: real ledgers, real uplinks, real PostgreSQL; the rooms are made up."""
