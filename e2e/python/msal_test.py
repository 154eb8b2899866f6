"""MSAL for Python, as Debian packages it, with the standard library's HTTP client.

The environment says where the server is and which certificate authority to trust:
REQUESTS_CA_BUNDLE for MSAL, SSL_CERT_FILE for urllib.
"""

import json
import os
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

import msal

URL = os.environ["CONVENE_URL"]
TENANT = "5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10"
ANN = "c0ffee00-0001-4a00-8000-000000000002"
DORA = "c0ffee00-0001-4a00-8000-000000000004"
BOOKING = "a9900000-0001-4a00-8000-000000000001"
CRM = "a9900000-0002-4a00-8000-000000000002"
PORTAL = "a9900000-0004-4a00-8000-000000000004"
DEFAULT = ["https://graph.microsoft.com/.default"]
MEETINGS = ["https://graph.microsoft.com/OnlineMeetings.ReadWrite"]
WHERE = {"authority": f"{URL}/{TENANT}", "instance_discovery": False}


def call(token, method, path, body=None):
    """Returns the status and the decoded body of the answer, None where there is none."""
    request = urllib.request.Request(
        f"{URL}/v1.0/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + token, "Content-Type": "application/json"},
    )
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def create_or_get(token, owner, body):
    return call(token, "POST", f"{owner}/onlineMeetings/createOrGet", body)


def application(secret="crm-secret"):
    return msal.ConfidentialClientApplication(CRM, client_credential=secret, **WHERE)


class MSAL(unittest.TestCase):
    def test_an_application_makes_a_meeting_and_gets_it_again(self):
        token = application().acquire_token_for_client(DEFAULT)
        self.assertIn("access_token", token, token)
        body = {"externalId": "python", "startDateTime": "2031-02-06T09:00:00.0000000+00:00"}
        made, first = create_or_get(token["access_token"], f"users/{DORA}", body)
        found, second = create_or_get(token["access_token"], f"users/{DORA}", body)
        self.assertEqual((made, found), (201, 200), first)
        self.assertEqual(first["id"], second["id"])

    def test_an_application_does_everything_with_a_meeting(self):
        app = msal.ConfidentialClientApplication(BOOKING, client_credential="booking-secret", **WHERE)
        token = app.acquire_token_for_client(DEFAULT)["access_token"]
        meetings = f"users/{ANN}/onlineMeetings"
        status, made = call(token, "POST", meetings, {"subject": "Operations"})
        self.assertEqual((status, made["subject"]), (201, "Operations"))
        one = f"{meetings}/{made['id']}"
        for path in (
            "$filter=" + urllib.parse.quote(f"JoinWebUrl eq '{made['joinWebUrl']}'"),
            urllib.parse.urlencode({"$filter": f"JoinWebUrl eq '{made['joinWebUrl']}'"}),
        ):
            status, found = call(token, "GET", f"{meetings}?{path}")
            self.assertEqual((status, [m["id"] for m in found["value"]]), (200, [made["id"]]))
        status, changed = call(token, "PATCH", one, {"subject": "Changed"})
        self.assertEqual((status, changed["subject"]), (200, "Changed"))
        status, read = call(token, "GET", one + "?$select=subject,id")
        self.assertEqual((status, read["subject"], read["id"]), (200, "Changed", made["id"]))
        status, link = call(token, "GET", one + "/getVirtualAppointmentJoinWebUrl")
        self.assertEqual((status, link["value"].startswith(URL + "/")), (200, True))
        for path in (
            one + "/attendanceReports",
            one + "/transcripts",
            one + "/recordings",
            f"{meetings}/getAllTranscripts(meetingOrganizerUserId='{ANN}')",
            f"{meetings}/getAllRecordings(meetingOrganizerUserId='{ANN}')",
        ):
            status, left = call(token, "GET", path)
            self.assertEqual((status, left["value"]), (200, []), path)
        self.assertEqual(call(token, "DELETE", one), (204, None))
        status, body = call(token, "GET", one)
        self.assertEqual((status, body["error"]["code"]), (404, "NotFound"))

    def test_a_missing_policy_is_said(self):
        token = application().acquire_token_for_client(DEFAULT)
        status, body = create_or_get(token["access_token"], f"users/{ANN}", {"externalId": "no"})
        self.assertEqual((status, body["error"]["code"]), (403, "Forbidden"))
        self.assertRegex(body["error"]["message"], "^No application access policy found for this app")

    def test_a_wrong_secret_is_said(self):
        answer = application("not the secret").acquire_token_for_client(DEFAULT)
        self.assertEqual((answer["error"], answer["error_codes"]), ("invalid_client", [7000215]))

    def test_a_user_approves_a_device_code_and_stays_signed_in(self):
        client = msal.PublicClientApplication(PORTAL, **WHERE)
        flow = client.initiate_device_flow(MEETINGS)
        self.assertIn(flow["user_code"], flow["message"])
        subprocess.run(
            [os.environ["CONVENE_BIN"], "device", "approve", flow["user_code"]]
            + ["--user", "ann@contoso.example", "--data", os.environ["CONVENE_DATA"]],
            check=True,
        )
        token = client.acquire_token_by_device_flow(flow)
        self.assertIn("access_token", token, token)
        (account,) = client.get_accounts()
        self.assertEqual(account["username"], "ann@contoso.example")
        renewed = client.acquire_token_silent(MEETINGS, account, force_refresh=True)
        status, body = create_or_get(renewed["access_token"], "me", {"externalId": "python device"})
        self.assertEqual(status, 201, body)


if __name__ == "__main__":
    unittest.main()
