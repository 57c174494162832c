"""Running tasks: a scheduler without clock or file (`brain`), and executors that carry its instructions out."""
