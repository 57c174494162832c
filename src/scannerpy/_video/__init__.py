"""Video: ingest, index, decode, encode, remux. The only package that uses PyAV (FFmpeg)."""
