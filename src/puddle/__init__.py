"""Puddle: a self-service control plane on which data scientists get their machines."""
