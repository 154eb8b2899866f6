"""One meeting for an order, with MSAL and the standard library. See ../README.md for the environment."""

import json
import os
import ssl
import urllib.parse
import urllib.request

import msal

URL = os.environ["CONVENE_URL"]
CA = os.environ["CONVENE_CA"]
TENANT = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10"
ANN = "c0ffee00-0001-4a00-8000-000000000002"

os.environ["REQUESTS_CA_BUNDLE"] = CA  # for MSAL
trust = ssl.create_default_context(cafile=CA)
app = msal.ConfidentialClientApplication(
    "a9900000-0001-4a00-8000-000000000001",
    client_credential="booking-secret",
    authority=f"{URL}/{TENANT}",
    instance_discovery=False,
)
token = app.acquire_token_for_client(["https://graph.microsoft.com/.default"])["access_token"]


def graph(method, path, body=None):
    """Returns the status and the decoded answer of a call below the user's meetings."""
    request = urllib.request.Request(
        f"{URL}/v1.0/users/{ANN}/onlineMeetings{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, context=trust) as answer:
        text = answer.read()
        return answer.status, json.loads(text) if text else None


order = f"python-{os.getpid()}"
status, meeting = graph("POST", "/createOrGet", {"externalId": order, "subject": f"Order {order}"})
assert status == 201, status
status, again = graph("POST", "/createOrGet", {"externalId": order})
assert status == 200 and again["id"] == meeting["id"]

moved = {"startDateTime": "2031-02-06T09:00:00Z", "endDateTime": "2031-02-06T10:00:00Z"}
_, meeting = graph("PATCH", f"/{meeting['id']}", moved)
assert meeting["startDateTime"] == moved["startDateTime"]

where = urllib.parse.quote(f"JoinWebUrl eq '{meeting['joinWebUrl']}'")
_, found = graph("GET", f"?$filter={where}")
assert [m["id"] for m in found["value"]] == [meeting["id"]]

status, _ = graph("DELETE", f"/{meeting['id']}")
assert status == 204
print(f"one meeting for {order}: {meeting['joinWebUrl']}")
