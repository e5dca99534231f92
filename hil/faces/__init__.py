"""Faces of a bus: how programs that know nothing of the bench meet it."""
