"""Running kernels: hosts that call users' code, and pickling of ops for worker processes."""
