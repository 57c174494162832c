"""What must be done: rows traced backwards from what is stored to what must be read. Pure; no clock, no file."""
