"""The knowledge centre: sees every lift of many municipalities, moves none (extra `centre`)."""
