"""The commands of `puddle`, one group a file."""
