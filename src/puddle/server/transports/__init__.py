"""How calls come in: protobuf over HTTP (the Connect unary protocol), server-sent events, and pages for operators.

    connect      bytes in, bytes out: one URL a method, `application/proto` and `application/json`
    calls        one call: who is it, may they, do it
    table        the methods: which messages they take and give, and which use case does the work
    messages/    messages ↔ what the use cases take and return
    refusals     why a call is refused → code, status, JSON; the only place that knows
    watching     `WatchSystems`
    operating    `/healthz`, `/metrics`, `/openapi.json`
    app          all of it as one ASGI application

Nothing here decides anything about systems: that is `puddle.server.api`.
"""
