"""Plants: the physics the nodes are attached to. Pure, in fixed sub-steps of one millisecond."""
