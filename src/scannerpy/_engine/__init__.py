"""Running tasks: a `scheduler` without clock or file, and executors that carry its instructions out."""
