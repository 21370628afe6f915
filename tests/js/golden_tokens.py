"""Verifies tokens with PyJWT and joserfc at a fixed time.

Reads cases as JSON from standard input, `[{"token", "jwk", "audience", "now"}]` (audience may be
null), and writes for each `[PyJWT's claims or null, joserfc's claims or null]`.
"""
import datetime
import json
import sys

import jwt
import jwt.api_jwt
from joserfc import jwt as jose
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jwt import JWTClaimsRegistry


def pyjwt(case):
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(case["now"], tz)

    jwt.api_jwt.datetime = Clock
    key = jwt.PyJWK(case["jwk"], algorithm="EdDSA").key
    audience = case["audience"]
    try:
        return jwt.decode(case["token"], key, algorithms=["EdDSA"], audience=audience,
                          options={"verify_aud": audience is not None})
    except jwt.InvalidTokenError:
        return None


def joserfc(case):
    key = OKPKey.import_key(case["jwk"])
    audience = case["audience"]
    asked = {} if audience is None else {"aud": {"essential": True, "value": audience}}
    try:
        token = jose.decode(case["token"], key, algorithms=["EdDSA"])
        JWTClaimsRegistry(now=case["now"], **asked).validate(token.claims)
        return token.claims
    except JoseError:
        return None


json.dump([[pyjwt(case), joserfc(case)] for case in json.load(sys.stdin)], sys.stdout)
