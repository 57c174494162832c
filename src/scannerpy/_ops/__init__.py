"""What an op is, before anybody calls it: its signature, and the registry of all of them."""
