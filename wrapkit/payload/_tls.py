"""TLS without I/O: plain bytes on one side, the connection's bytes on the other."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext

    from ._env_export import ExportSettings

_EINVAL = 22


def tls_context(settings: "ExportSettings") -> "SSLContext":
    """A context that verifies the server, with the CA and client certificate of ``settings``.

    Raises ``OSError`` (``ssl.SSLError`` is one) when a file cannot be used. ``ssl`` costs 26 ms to
    import, reading the system's CA bundle as much again: so this is asked for by the first export
    to an https endpoint, not before.
    """
    import ssl

    try:
        context = ssl.create_default_context(cafile=settings.certificate or None)
    except OSError as error:
        raise _unusable("the certificate of the authority", settings.certificate, error) from None
    if settings.client_certificate:
        key = settings.client_key or None
        try:
            # Without a password an encrypted key would be asked for at a terminal.
            context.load_cert_chain(settings.client_certificate, key, password=_no_password)
        except OSError as error:
            file = settings.client_certificate + (f" and {key}" if key else "")
            raise _unusable("the client's certificate", file, error) from None
    return context


def _unusable(what: str, file: str, error: OSError) -> OSError:
    """OpenSSL and the operating system name no file. The number is not theirs: OpenSSL counts its
    own, and some would make it an error that says to wait.
    """
    return OSError(_EINVAL, f"{what} in {file} cannot be used ({error.strerror or error})")


def _no_password() -> str:
    raise OSError(_EINVAL, "the key is encrypted")


class TlsStream:
    """One connection's TLS, as client. The handshake happens by itself, as bytes go to and fro."""

    __slots__ = ("_incoming", "_object", "_outgoing", "_unsent", "_want_more", "established")

    def __init__(self, context: "SSLContext", host: str) -> None:
        import ssl

        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._want_more = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
        self._unsent = bytearray()
        self.established = False

    def send(self, data: bytes) -> bytes:
        """Takes plain bytes; returns what is to go out on the connection. Raises ``OSError``."""
        self._unsent += data
        self._advance()
        return self._outgoing.read()

    def receive(self, data: bytes) -> "tuple[bytes, bytes]":
        """Takes the connection's bytes (``b""``: its end); returns plain bytes, and what is to go
        out now.

        Raises ``OSError`` when the peer's certificate or its bytes are not acceptable.
        """
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        self._advance()
        plain = self._read() if self.established else b""
        return plain, self._outgoing.read()

    def _advance(self) -> None:
        try:
            if not self.established:
                self._object.do_handshake()
                self.established = True
            if self._unsent:
                self._object.write(self._unsent)
                self._unsent.clear()
        except self._want_more:
            pass

    def _read(self) -> bytes:
        pieces = []
        try:
            while True:
                piece = self._object.read(65536)
                if not piece:
                    break
                pieces.append(piece)
        except self._want_more:
            pass
        except OSError as error:
            # A peer that closes without TLS's own goodbye: the framing of HTTP tells whether
            # anything is missing.
            if type(error).__name__ not in ("SSLEOFError", "SSLZeroReturnError"):
                raise
        return b"".join(pieces)
