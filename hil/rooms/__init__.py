"""Rooms: a plant, its nodes and the human actions, driven by time alone."""
