"""Connections that stay open. werkzeug closes each one after its answer, and its thread ends with it: clients of AWS, which keep
theirs, would make a new one for every call."""

import io
import traceback
from typing import Any

from werkzeug.serving import WSGIRequestHandler


class LastingHandler(WSGIRequestHandler):
    """Reads a request whole before it is answered, and sends an answer whole: so both know where the next one begins."""

    protocol_version = "HTTP/1.1"
    # The answer's last part would wait for the client to acknowledge the one before.
    disable_nagle_algorithm = True
    # Seconds without a request, after which a connection and its thread end; AWS ends them after about as long.
    timeout = 20

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.environ = environ = self.make_environ()
        length = None if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read() if length is None else self.rfile.read(length))
        status, headers, body = self._answer(environ)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        names = {name.lower() for name, _ in headers}
        if "content-length" not in names and code not in ("204", "304"):
            self.send_header("Content-Length", str(len(body)))
        # Headers are kept until here, so that both go at once.
        if self.command != "HEAD" and body:
            self._headers_buffer.append(b"\r\n" + body)
            self.flush_headers()
        else:
            self.end_headers()

    def _answer(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        answer: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answer[:] = [status, headers]

        try:
            parts = self.server.app(environ, start_response)
            try:
                body = b"".join(parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
            return answer[0], answer[1], body
        except Exception:
            text = traceback.format_exc()
            self.server.log("error", f"Error on request:\n{text}")
            return "500 INTERNAL SERVER ERROR", [("Content-Type", "text/plain")], text.encode()
