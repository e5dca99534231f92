"""Where a scenario can run: one file for each plane, and which faults each can do."""
