"""Puddle: the self-service platform on which data scientists get their machines."""
