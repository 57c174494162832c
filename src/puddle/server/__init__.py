"""The server: wishes are written by `api`, carried out by `reconcile`, kept by `store`."""
