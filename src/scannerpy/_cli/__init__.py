"""The commands of `scanner`, one a file. What is heavy is imported when a command runs."""
