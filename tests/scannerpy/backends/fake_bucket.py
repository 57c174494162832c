"""A fake of the part of S3 that files in a bucket need: put, get, head, copy, delete. In memory, on this machine."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote


class FakeBucket:
    """Serves one bucket, ``films``, at `endpoint`; `objects` is what it holds, `refuse` makes it answer 403."""

    name = "films"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.refuse = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

            def key(self) -> str:
                return unquote(self.path.partition("?")[0]).removeprefix(f"/{bucket.name}/")

            def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def found(self) -> None:
                data = bucket.objects.get(self.key())
                if bucket.refuse:
                    self.answer(403)
                elif data is None:
                    self.answer(404)
                else:
                    tag = hashlib.sha256(data).hexdigest()
                    self.answer(200, data, ETag=f'"{tag}"', Last_Modified="Wed, 25 Nov 2026 10:00:00 GMT")

            do_GET = do_HEAD = found  # noqa: N815 — the base class's names

            def do_PUT(self) -> None:
                source = self.headers.get("x-amz-copy-source")
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if bucket.refuse:
                    self.answer(403)
                elif source is None:
                    bucket.objects[self.key()] = body
                    self.answer(200, ETag='"x"')
                else:
                    self.copy(unquote(source).strip("/").removeprefix(f"{bucket.name}/"))

            def copy(self, key: str) -> None:
                if key not in bucket.objects:
                    self.answer(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
                    return
                bucket.objects[self.key()] = bucket.objects[key]
                body = b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>"
                self.answer(200, body)

            def do_DELETE(self) -> None:
                bucket.objects.pop(self.key(), None)
                self.answer(204)

            def do_POST(self) -> None:  # DeleteObjects
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                keys = [part.partition("</Key>")[0] for part in body.split("<Key>")[1:]]
                for key in keys:
                    bucket.objects.pop(key, None)
                told = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
                self.answer(200, f"<DeleteResult>{told}</DeleteResult>".encode())

        return Handler
