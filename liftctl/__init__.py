"""The liftctl service: one package per process."""

__version__ = "0.1.0"
