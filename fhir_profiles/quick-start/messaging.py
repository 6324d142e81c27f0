"""A referral as a message and the answer to it, with httpx.

URL=http://127.0.0.1:8080 TOKEN=yours OTHER=token-of-the-coach python messaging.py
Without TOKEN: CLIENT and KEY, by which the other quick starts ask for one.
"""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

URL = os.environ["URL"]
BASE = f"{URL}/fhir"
EVENT = {"system": "https://ketenzorg.example/fhir/CodeSystem/message-event", "code": "referral"}


def token() -> str:
    """A token, for an assertion that is good once."""
    endpoint = httpx.get(f"{BASE}/.well-known/smart-configuration").json()["token_endpoint"]
    client, now = os.environ["CLIENT"], int(time.time())
    claims = {"iss": client, "sub": client, "aud": endpoint, "exp": now + 240, "jti": uuid4().hex}
    key = RSAKey.import_key(Path(os.environ["KEY"]).read_text("utf-8"))
    form = {
        "grant_type": "client_credentials",
        "scope": "system/*.cruds",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({"alg": "RS384", "kid": "rsa-1"}, claims, key, algorithms=["RS384"]),
    }
    return str(httpx.post(endpoint, data=form).raise_for_status().json()["access_token"])


def caller(bearer: str) -> httpx.Client:
    """A party by its token."""
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/fhir+json"}
    return httpx.Client(base_url=BASE, headers=headers)


own, other = caller(os.environ.get("TOKEN") or token()), caller(os.environ["OTHER"])

# The same resources as in a transaction, without requests, behind a header that says what this is.
referral = httpx.get(f"{URL}/guide/files/examples/referral-welzijn-op-recept.json").json()
entries = [
    {"fullUrl": each["fullUrl"], "resource": each["resource"]}
    for each in referral["entry"]
    if "fullUrl" in each
]
entries += [
    {"fullUrl": f"urn:uuid:{uuid4()}", "resource": each["resource"]}
    for each in referral["entry"]
    if "fullUrl" not in each
]
request = next(each for each in entries if each["resource"]["resourceType"] == "ServiceRequest")
request["resource"]["identifier"][0]["value"] = uuid4().hex
header = {
    "resourceType": "MessageHeader",
    "id": str(uuid4()),  # the same when you send it again
    "eventCoding": EVENT,
    "destination": [{"endpoint": f"{BASE}/$process-message"}],
    "source": {"endpoint": "https://mijn-his.example/fhir/$process-message"},
    "focus": [{"reference": request["fullUrl"]}],
}
message = {
    "resourceType": "Bundle",
    "id": str(uuid4()),
    "type": "message",
    "timestamp": datetime.now(UTC).isoformat(),
    "entry": [{"fullUrl": f"urn:uuid:{header['id']}", "resource": header}, *entries],
}
answer = own.post("/$process-message", json=message).raise_for_status().json()
told, outcome = (each["resource"] for each in answer["entry"])
for issue in outcome["issue"]:
    print(issue["severity"], issue["details"]["text"], file=sys.stderr)
assert told["response"] == {
    "identifier": header["id"],
    "code": "ok",
    "details": {"reference": answer["entry"][1]["fullUrl"]},
}
assert own.post("/$process-message", json=message).json() == answer  # lost the answer? Send it again
task = next(each["reference"] for each in told["focus"] if "/Task/" in each["reference"])


def happened(event: str, **given: str) -> None:
    """The other side says what happened."""
    more = [{"name": name, "valueString": value} for name, value in given.items()]
    parameters = [{"name": "event", "valueString": event}, *more]
    other.post(
        f"{task}/$event", json={"resourceType": "Parameters", "parameter": parameters}
    ).raise_for_status()


for step in ("aannemen", "eerste contact", "kennismaking gehouden"):
    happened(step)
happened("afronden", terugkoppeling="Gaat elke week wandelen.")

# You read what came of it.
print(next(each["valueString"] for each in own.get(task).json()["output"] if "valueString" in each))
