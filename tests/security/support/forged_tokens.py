"""Tokens that must not open anything: forged without the key, or signed by it and stale or misdirected.

Compact JWS (RFC 7515) put together by hand, since no library makes them wrong enough.
"""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from cogniflow_kit.identity import AUDIENCE
from users_service.keys.jwt import public_jwk

ABSENT = object()
_KEYS = {
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "P-521": ec.generate_private_key(ec.SECP521R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
}
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def packed(value: Any) -> str:
    return b64(json.dumps(value, separators=(",", ":")).encode())


def ecdsa(key: ec.EllipticCurvePrivateKey, message: bytes, bits: str = "256") -> bytes:
    """The signature as JWS wants it: r and s in fixed width (RFC 7518, section 3.4)."""
    width = (key.key_size + 7) // 8
    numbers = decode_dss_signature(key.sign(message, ec.ECDSA(_HASHES[bits])))
    return b"".join(number.to_bytes(width, "big") for number in numbers)


@dataclass
class Forger:
    """Knows what users-service knows, so that nothing but the fault under test is wrong."""

    kid: str
    private_pem: str
    issuer: str
    service: str
    kind: str
    """`access`: like a user's token; `svc`: like another service's."""
    scope: str = ""

    def __post_init__(self) -> None:
        key = load_pem_private_key(self.private_pem.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        public = key.public_key()
        self._pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self._jwk = public_jwk(self.kid, self._pem.decode()).model_dump()

    def all(self) -> Iterator[tuple[str, str]]:
        """Each with a name that says what is wrong with it."""
        yield from self._without_signature()
        yield from self._with_the_public_key_as_secret()
        yield from self._with_other_keys()
        yield from self._with_key_ids()
        yield from self._with_foreign_key_headers()
        yield from self._with_claims()
        yield from self._with_signatures()
        yield from self._misshapen()

    # -- parts

    def header(self, **changes: Any) -> dict[str, Any]:
        return _present({"alg": "ES256", "typ": "JWT", "kid": self.kid}, changes)

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = time.time()
        common = {"iss": self.issuer, "iat": now, "exp": int(now) + 300, "jti": str(uuid4())}
        if self.kind == "svc":
            own = {"aud": f"{self.service}-service", "sub": "chat-service", "scope": self.scope}
        else:
            own = {"aud": AUDIENCE, "sub": str(uuid4()), "sid": str(uuid4()), "role": "admin", "scope": ""}
        return _present({**common, **own, "typ": self.kind}, changes)

    def signed(self, header: Any = None, claims: Any = None) -> str:
        """By the real key."""
        text = self._unsigned(header, claims)
        return f"{text}.{b64(ecdsa(self._key, text.encode()))}"

    def _unsigned(self, header: Any = None, claims: Any = None) -> str:
        chosen = (self.header() if header is None else header, self.claims() if claims is None else claims)
        return ".".join(map(packed, chosen))

    # -- what can be wrong

    def _without_signature(self) -> Iterator[tuple[str, str]]:
        nothing = ("none", "None", "NONE", "nOnE", "none ", " none", "none\x00", "", None, 0, False, [], {})
        for alg in (*nothing, ["none"], ["ES256"], {"alg": "ES256"}, "es256", "ES256 ", ABSENT):
            text = self._unsigned(self.header(alg=alg))
            yield f"alg {alg!r}, no signature", f"{text}."
            yield f"alg {alg!r}, the signature of ES256", f"{text}.{b64(ecdsa(self._key, text.encode()))}"
        yield "ES256, no signature", f"{self._unsigned()}."

    def _with_the_public_key_as_secret(self) -> Iterator[tuple[str, str]]:
        jwk = json.dumps(self._jwk).encode()
        compact = json.dumps(self._jwk, separators=(",", ":"), sort_keys=True).encode()
        secrets = {
            "PEM": self._pem,
            "PEM without its last line end": self._pem.rstrip(),
            "PEM with CRLF": self._pem.replace(b"\n", b"\r\n"),
            "DER": self._der,
            "JWK": jwk,
            "JWK, compact and sorted": compact,
            "JWK set": b'{"keys":[' + jwk + b"]}",
            "x coordinate": self._point[1:33],
            "point": self._point,
            "key id": self.kid.encode(),
            "empty secret": b"",
            "guess": b"secret",
        }
        for name, secret in secrets.items():
            for bits in ("256", "384", "512"):
                text = self._unsigned(self.header(alg=f"HS{bits}"))
                yield f"HS{bits}, {name}", f"{text}.{b64(hmac.digest(secret, text.encode(), f'sha{bits}'))}"
            text = self._unsigned()
            yield (
                f"HS256 called ES256, {name}",
                f"{text}.{b64(hmac.digest(secret, text.encode(), 'sha256'))}",
            )

    def _with_other_keys(self) -> Iterator[tuple[str, str]]:
        for curve, key in _KEYS.items():
            for alg in ("ES256", "ES384", "ES512", "ES256K"):
                text = self._unsigned(self.header(alg=alg))
                bits = "256" if alg == "ES256K" else alg[2:]
                yield (
                    f"{alg} by a key of our own on {curve}",
                    f"{text}.{b64(ecdsa(key, text.encode(), bits))}",
                )
        for alg, bits in (("ES384", "384"), ("ES512", "512"), ("ES256K", "256")):
            text = self._unsigned(self.header(alg=alg))
            yield f"{alg} by the real key", f"{text}.{b64(ecdsa(self._key, text.encode(), bits))}"
        for alg in ("RS256", "RS384", "RS512", "PS256"):
            text = self._unsigned(self.header(alg=alg))
            digest = _HASHES[alg[2:]]
            pad: Any = padding.PKCS1v15() if alg[0] == "R" else padding.PSS(padding.MGF1(digest), 32)
            yield f"{alg} by a key of our own", f"{text}.{b64(_RSA.sign(text.encode(), pad, digest))}"
        text = self._unsigned(self.header(alg="EdDSA"))
        signature = ed25519.Ed25519PrivateKey.generate().sign(text.encode())
        yield "EdDSA by a key of our own", f"{text}.{b64(signature)}"

    def _with_key_ids(self) -> Iterator[tuple[str, str]]:
        wrong = [ABSENT, "", str(uuid4()), self.kid.upper() + "X", self.kid + " ", " " + self.kid]
        wrong += [self.kid + "\x00", self.kid[:-1], "*", "%", None, 0, True, [self.kid], {"kid": self.kid}]
        wrong += [
            "../../../../dev/null",
            "/dev/null",
            "file:///dev/null",
            "C:\\nul",
            "/proc/sys/kernel/ostype",
        ]
        wrong += [
            "' OR 1=1 --",
            "x' UNION SELECT public_key FROM signing_keys --",
            "${jndi:ldap://127.0.0.1/a}",
        ]
        wrong += ["http://127.0.0.1:9/jwks.json", "|id", "\ud800", "k" * 2000]
        for kid in wrong:
            yield f"kid {str(kid)[:40]!a} ({type(kid).__name__})", self.signed(self.header(kid=kid))
        text = self._unsigned(self.header(kid="/dev/null"))
        yield "kid /dev/null, HS256, empty secret", f"{text}.{b64(hmac.digest(b'', text.encode(), 'sha256'))}"

    def _with_foreign_key_headers(self) -> Iterator[tuple[str, str]]:
        ours = _KEYS["P-256"]
        pem = ours.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        embedded = public_jwk("ours", pem.decode()).model_dump()
        headers: dict[str, Any] = {
            "jwk": embedded,
            "jku": "http://127.0.0.1:9/jwks.json",
            "x5u": "http://127.0.0.1:9/chain.pem",
            "x5c": [base64.b64encode(pem).decode()],
            "crit": ["exp"],
        }
        for name, value in headers.items():
            for kid in (self.kid, "ours", ABSENT):
                text = self._unsigned(self.header(**{name: value, "kid": kid}))
                named = "absent" if kid is ABSENT else "the real one" if kid == self.kid else kid
                yield f"{name}, our key, kid {named}", f"{text}.{b64(ecdsa(ours, text.encode()))}"
            yield f"{name}, the real key", self.signed(self.header(**{name: value}))
        yield "crit b64, the real key", self.signed(self.header(crit=["b64"], b64=False))

    def _with_claims(self) -> Iterator[tuple[str, str]]:
        now = time.time()
        later = now + 3600  # so far ahead that it is so still when the last route is tried
        wrong: dict[str, tuple[Any, ...]] = {
            "iss": (
                ABSENT,
                None,
                "",
                "http://evil.test",
                self.issuer + "/",
                self.issuer.upper(),
                [self.issuer],
            ),
            "aud": (ABSENT, None, "", "somebody", ["somebody"], [], {}, 1, f"{AUDIENCE} somebody"),
            "exp": (ABSENT, None, now - 1, int(now) - 300, 0, -1, "never", "", [], {}, 1e999),
            "nbf": (later, now + 86_400, "later"),
            "iat": (ABSENT, None, later, now + 86_400, "now", str(int(now)), [], -1e999),
            "typ": (ABSENT, None, "", "JWT", "refresh", "ACCESS", ["access", "svc"], True),
            "sub": (ABSENT, None, 1, [], {}),
            "jti": (ABSENT, None, 1),
        }
        if self.kind == "access":
            wrong["sub"] += ("", "me", "' OR 1=1 --")
            wrong["sid"] = (ABSENT, None, "", "here", 1, [])
            wrong["role"] = (
                ABSENT,
                None,
                "",
                "owner",
                "Admin",
                "admin ",
                ["admin"],
                {"admin": True},
                1,
                True,
            )
            for audience in ("users", "courses", "chat", "analytics"):
                wrong["aud"] += (f"{audience}-service",)
        else:
            wrong["aud"] += (AUDIENCE, "users-service " + "courses-service")
        for claim, values in wrong.items():
            for value in values:
                said = "absent" if value is ABSENT else repr(value)
                yield f"{claim} {said}", self.signed(claims=self.claims(**{claim: value}))
        yield "numeric exp as text", self.signed(claims=self.claims(exp=str(int(now) + 300)))
        for name, claims in {"a list": [], "a text": "claims", "null": None, "a number": 1}.items():
            text = f"{packed(self.header())}.{packed(claims)}"
            yield f"claims are {name}", f"{text}.{b64(ecdsa(self._key, text.encode()))}"

    def _with_signatures(self) -> Iterator[tuple[str, str]]:
        text, _, signature = self.signed().rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        wrong = {
            "of zeros": bytes(64),
            "of ones": (b"\x00" * 31 + b"\x01") * 2,
            "of the group's order": order.to_bytes(32, "big") * 2,
            "in DER": self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())),
            "with r and s swapped": raw[32:] + raw[:32],
            "cut by a byte": raw[:-1],
            "with a byte more": raw + b"\x00",
            "twice": raw + raw,
            "of something else": ecdsa(self._key, b"something else"),
            "of another hash": ecdsa(self._key, text.encode(), "512"),
        }
        for position in (0, 1, 16, 31, 32, 48, 63):
            flipped = bytearray(raw)
            flipped[position] ^= 0x01
            wrong[f"with byte {position} changed"] = bytes(flipped)
        for name, changed in wrong.items():
            yield f"signature {name}", f"{text}.{b64(changed)}"
        other = {"sub": "another", "scope": "tokens:verify events:write lessons:read", "exp": 9_999_999_999}
        for claim, value in {**other, "role": "researcher", "aud": "somebody", "sid": str(uuid4())}.items():
            yield (
                f"{claim} changed after signing",
                f"{self._unsigned(None, self.claims(**{claim: value}))}.{signature}",
            )

    def _misshapen(self) -> Iterator[tuple[str, str]]:
        token = self.signed()
        header, claims, signature = token.split(".")
        for length in (
            0,
            1,
            10,
            len(header),
            len(header) + 1,
            len(token) // 2,
            len(token) - 1,
            len(token) - 20,
        ):
            yield f"cut to {length} characters", token[:length]
        nested = b64(b"{" + b'"a":{' * 500)
        huge = b64(b'{"alg":' + b"9" * 2800 + b"}")
        shapes = {
            "two parts": f"{header}.{claims}",
            "four parts": f"{token}.{signature}",
            "five parts": f"{header}..{claims}.{signature}.{signature}",
            "no header": f".{claims}.{signature}",
            "no claims": f"{header}..{signature}",
            "dots": "..",
            "many dots": "." * 4000,
            "words": "a.b.c",
            "undefined": "undefined",
            "null": "null",
            "twice": token + token,
            "Bearer twice": f"Bearer {token}",
            "in quotes": f'"{token}"',
            "a comma and another": f"{token}, {token}",
            "as JSON": json.dumps({"protected": header, "payload": claims, "signature": signature}),
            "oversize": self.signed(claims=self.claims(filler="x" * 4000)),
            "much too large": self.signed(claims=self.claims(filler="x" * 20_000)),
            "letters that aren't ASCII": token[:-5] + "éüß€é",
            "a NUL": token[:-5] + "\x00" + token[-4:],
            "a header that isn't JSON": f"{b64(b'not json')}.{claims}.{signature}",
            "a header that isn't UTF-8": f"{b64(bytes([0xFF, 0xFE, 0x22]))}.{claims}.{signature}",
            "a header that is a list": f"{packed(['ES256'])}.{claims}.{signature}",
            "a header that is null": f"{packed(None)}.{claims}.{signature}",
            "a header of lists in lists": f"{b64(b'[' * 2900)}.{claims}.{signature}",
            "a header of objects in objects": f"{nested}.{claims}.{signature}",
            "a header with a huge number": f"{huge}.{claims}.{signature}",
        }
        yield from shapes.items()


def _present(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**values, **changes}.items() if value is not ABSENT}
