"""What `scanner demo` runs: an example program, written as a user would write one, on a real clip."""
