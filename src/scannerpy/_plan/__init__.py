"""The plan of a run: rows traced backwards from what is stored to what must be read. Pure: no clock, no file."""
