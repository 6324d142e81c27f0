"""A referral and back, with fhirpy, httpx and joserfc.

URL=http://127.0.0.1:8080 CLIENT=mijn-his KEY=key.pem OTHER=token-of-the-coach python fhirpy.py
KEY: RSA, of which the public half is registered under CLIENT with kid "rsa-1".
"""

import os
import time
from pathlib import Path
from uuid import uuid4

import httpx
from fhirpy import SyncFHIRClient
from joserfc import jwt
from joserfc.jwk import RSAKey

URL, CLIENT = os.environ["URL"], os.environ["CLIENT"]


def token() -> str:
    """A token, for an assertion that is good once."""
    endpoint = httpx.get(f"{URL}/fhir/.well-known/smart-configuration").json()["token_endpoint"]
    now = int(time.time())
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": endpoint, "exp": now + 240, "jti": uuid4().hex}
    key = RSAKey.import_key(Path(os.environ["KEY"]).read_text("utf-8"))
    form = {
        "grant_type": "client_credentials",
        "scope": "system/*.cruds",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({"alg": "RS384", "kid": "rsa-1"}, claims, key, algorithms=["RS384"]),
    }
    return str(httpx.post(endpoint, data=form).raise_for_status().json()["access_token"])


own = SyncFHIRClient(f"{URL}/fhir", authorization=f"Bearer {token()}")
other = SyncFHIRClient(f"{URL}/fhir", authorization=f"Bearer {os.environ['OTHER']}")
assert own.execute("metadata", method="get")["fhirVersion"] == "4.0.1"

# A referral under a number of your own.
referral = httpx.get(f"{URL}/guide/files/examples/referral-welzijn-op-recept.json").json()
referral["entry"][1]["resource"]["identifier"][0]["value"] = uuid4().hex
answer = own.resource("Bundle", **referral)
answer.save()
places = [entry["response"]["location"] for entry in answer["entry"]]
id_ = next(place.split("/")[1] for place in places if place.startswith("Task/"))


def happened(event: str, **given: str) -> None:
    """The other side says what happened."""
    more = [{"name": name, "valueString": value} for name, value in given.items()]
    parameters = [{"name": "event", "valueString": event}, *more]
    other.execute(f"Task/{id_}/$event", data={"resourceType": "Parameters", "parameter": parameters})


# The other side works on it: what may happen now, and then what happened.
assert other.resources("Task").search(status="requested", _id=id_).first() is not None
assert "aannemen" in str(other.execute(f"Task/{id_}/$next", method="get"))
for event in ("aannemen", "eerste contact", "kennismaking gehouden"):
    happened(event)
happened("afronden", terugkoppeling="Gaat elke week wandelen.")

# You read what came of it. (A Subscription tells you of each change: see What you can rely on.)
task = own.reference("Task", id_).to_resource()
assert task["status"] == "completed"
print(next(each["valueString"] for each in task["output"] if "valueString" in each))
