"""How a row is computed: hosts that run users' kernels, and the way kernels travel to worker processes."""
