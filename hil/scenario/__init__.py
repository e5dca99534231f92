"""Scenarios: one YAML file each, what is done to a device and what must then be so."""
