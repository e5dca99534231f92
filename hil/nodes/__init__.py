"""Simulated devices: frames and time in, frames out. Deterministic; no thread, clock or socket."""
