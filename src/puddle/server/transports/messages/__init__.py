"""Messages of the wire ↔ what the use cases take and return: thin, one file a service.

Each file ends with `METHODS`: the name of a method → the function that serves it. `READS` names those that only look
at the database: they change nothing and wait for nothing else.
"""
