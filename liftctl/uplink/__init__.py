"""A home's link to its knowledge centre: reads the ledger, sends signed batches, moves nothing."""
