"""The parts of `Client`: its database, ingest, and the steps of a run. It joins the layers below and decides little."""
