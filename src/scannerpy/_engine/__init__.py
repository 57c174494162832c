"""Who does a task, and when: a brain without clock or file, and thin bodies that carry its instructions out."""
