"""For the people the recordings are about."""
