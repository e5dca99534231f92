"""Where the bench meets the service: replacement shells that misbehave, so that a test can see it
noticed.

Production code knows nothing of these; `liftctl up --module NAME=MODULE` puts them in place.
"""
