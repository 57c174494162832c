"""Who is calling, proved: API keys, the tokens they are exchanged for, limited attempts, and what is kept encrypted."""
