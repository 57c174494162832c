"""The generated messages."""
