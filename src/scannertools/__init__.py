"""The import paths of existing Scanner programs. Each module here re-exports `scannerpy.ops`; there is no code in it.

The ops are registered for every client anyway, so a new program needs none of these imports.
"""
