"""Who is told: a web server that judges events as PagerDuty publishes what they have to be, and takes webhooks and syslog.

It writes a line for each thing it was given into the folder FOLDER, and answers with what FOLDER/answer says (a status, 202 unless said). Syslog
comes over TLS; a connection that ends without TLS saying so is noted as `cut`.
"""

import hashlib
import hmac
import http.server
import json
import os
import socket
import socketserver
import ssl
import sys
import threading

folder, schema, port, tls_port, syslog_port = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
published = json.load(open(schema))
key = open(folder + "/webhook.key", "rb").read().strip()
lock = threading.Lock()


def note(name, text):
    with lock, open(f"{folder}/{name}", "a") as file:
        file.write(text + "\n")


def wrong(schema, value, at):
    kinds = {"object": dict, "string": str}
    found = []
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return [f"{at} is no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at} is none of {schema['enum']}")
    if isinstance(value, str) and not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 1 << 30):
        found.append(f"Length of '{at}' is incorrect")
    if isinstance(value, dict) and "properties" in schema:
        found += [f"{at} has no {name}" for name in schema.get("required", []) if name not in value]
        for name, inner in value.items():
            if name not in schema["properties"]:
                found.append(f"{at}.{name} is unknown")
            else:
                found += wrong(schema["properties"][name], inner, name)
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            answer = int(open(folder + "/answer").read())
        except FileNotFoundError:
            answer = 202
        if answer != 202:
            note("turned-away", f"{answer} {self.path}")
            return self.answer(answer, {"status": "not now"})
        if self.path == "/hook":
            wanted = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
            is_signed = hmac.compare_digest(self.headers.get("X-Evenkeel-Signature", ""), wanted)
            note("hooks" if is_signed else "unsigned", body.decode())
            return self.answer(202, {})
        target = self.path.removeprefix("/v2")
        event = json.loads(body)
        errors = wrong(published[target], event, "event") if target in published else [f"no {target}"]
        if target == "/enqueue" and event.get("event_action") == "trigger" and "payload" not in event:
            errors.append("a trigger without a payload")
        if target == "/enqueue" and event.get("event_action") != "trigger" and "dedup_key" not in event:
            errors.append("a key is required unless it is a trigger")
        if errors:
            note("invalid", f"{errors} {body.decode()}")
            return self.answer(400, {"status": "invalid event", "message": "Event object is invalid", "errors": errors})
        note("events", f"{target} {body.decode()}")
        self.answer(202, {"status": "success", "message": "Event processed", "dedup_key": event.get("dedup_key", "")})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Octets(socketserver.StreamRequestHandler):
    """Counted octets, RFC 5425 4.3."""

    def handle(self):
        try:
            while length := self.rfile.read(1):
                while not length.endswith(b" "):
                    length += self.rfile.read(1)
                note("syslog", self.rfile.read(int(length)).decode("utf-8"))
        except ssl.SSLError as error:
            note("cut", str(error))


class Web(http.server.ThreadingHTTPServer):
    allow_reuse_address = True


class Lines(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


plain, secure, lines = Web(("", port), Handler), Web(("", tls_port), Handler), Lines(("", syslog_port), Octets)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
secure.socket = context.wrap_socket(secure.socket, server_side=True)
lines.socket = context.wrap_socket(lines.socket, server_side=True, suppress_ragged_eofs=False)
for server in (plain, secure):
    threading.Thread(target=server.serve_forever, daemon=True).start()
open(folder + "/pid", "w").write(str(os.getpid()))
lines.serve_forever()
