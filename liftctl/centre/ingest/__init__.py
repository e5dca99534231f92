"""Where homes' batches arrive: stateless processes before one database."""
