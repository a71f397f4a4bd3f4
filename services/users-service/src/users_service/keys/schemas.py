"""Response bodies of the key routes."""

from pydantic import BaseModel

from cogniflow_kit.schemas import ResponseBody


class PublicKey(BaseModel):
    """A JSON Web Key (RFC 7517) on the curve P-256."""

    kid: str
    kty: str
    crv: str
    x: str
    y: str
    alg: str
    use: str = "sig"


class KeySet(ResponseBody):
    """A JSON Web Key Set (RFC 7517, section 5)."""

    keys: list[PublicKey]


class Rotation(ResponseBody):
    """`signs_in`: seconds until the new key signs tokens; by then every service has fetched it."""

    kid: str
    signs_in: int
