"""The guard: listens on its own ports with its own small code, and can only cut motion."""
