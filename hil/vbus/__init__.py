"""The virtual CAN bus shared by the processes of one machine."""
