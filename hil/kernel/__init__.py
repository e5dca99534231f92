"""A real Linux kernel with CAN sockets on a machine whose own kernel has none."""
