"""A real OpenID provider (pyop) for the sign-in tests; whoever asks is signed in as `user`."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from Cryptodome.PublicKey import RSA
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from jwkest.jwk import RSAKey
from pyop.authz_state import AuthorizationState
from pyop.provider import Provider
from pyop.subject_identifier import HashBasedSubjectIdentifierFactory
from pyop.userinfo import Userinfo

CLIENT, SECRET = "liftctl", "a-secret"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


def _certificate(folder: Path) -> Path:
    """Self-signed, for this machine and an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    found = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "provider.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + found.public_bytes(Encoding.PEM))
    return path


class Issuer:
    """`user` signs in; `sub` is what the provider calls them. Ends with `close`."""

    def __init__(self, redirect: str, folder: Path) -> None:
        self.user = "technician"
        self.server: WSGIServer = make_server("127.0.0.1", 0, self._app, handler_class=Quiet)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        self.certificate = _certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        key = RSAKey(key=RSA.generate(2048), alg="RS256", kid="k", use="sig")
        self._subjects = HashBasedSubjectIdentifierFactory("salt")
        told = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid"],
        }
        client = {"client_secret": SECRET, "redirect_uris": [redirect], "response_types": ["code"],
                  "subject_type": "public",
                  "token_endpoint_auth_method": "client_secret_basic"}  # fmt: skip
        users = Userinfo({"technician": {}, "stranger": {}})
        state = AuthorizationState(self._subjects)
        self._provider = Provider(key, told, state, {CLIENT: client}, users)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def sub(self) -> str:
        return str(self._subjects.create_public_identifier(self.user))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _app(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        path = environ["PATH_INFO"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length).decode()
        if path == "/authorize":
            asked = self._provider.parse_authentication_request(environ["QUERY_STRING"])
            answer = self._provider.authorize(asked, self.user)
            where = answer.request(asked["redirect_uri"])
            start("302 Found", [("Location", where)])
            return [b""]
        found: Any
        if path == "/token":
            headers = {"Authorization": environ.get("HTTP_AUTHORIZATION", "")}
            found = self._provider.handle_token_request(urlencode(parse_qsl(body)), headers)
        elif path == "/jwks":
            return self._json(start, self._provider.jwks)
        else:
            found = self._provider.provider_configuration
        return self._json(start, found.to_dict())

    def _json(self, start: Any, value: Any) -> list[bytes]:
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(value).encode()]
