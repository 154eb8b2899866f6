#!/bin/sh
# One meeting for an order, with curl alone. See ../README.md for the environment.
set -eu
: "${CONVENE_URL:?}" "${CONVENE_CA:?}"
tenant=5f0c9a3e-2b7d-4c1a-9e64-7d1b8a2f3c10
ann=c0ffee00-0001-4a00-8000-000000000002
order="curl-$$"

member() { # JSON on standard input; the text of one member
  sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'
}

token=$(curl -sS --fail-with-body --cacert "$CONVENE_CA" "$CONVENE_URL/$tenant/oauth2/v2.0/token" \
  -d grant_type=client_credentials -d client_id=a9900000-0001-4a00-8000-000000000001 -d client_secret=booking-secret \
  -d scope=https://graph.microsoft.com/.default | member access_token)

graph() { # method, path, further arguments of curl
  method=$1 path=$2
  shift 2
  curl -sS --fail-with-body --cacert "$CONVENE_CA" -X "$method" "$CONVENE_URL/v1.0/users/$ann/onlineMeetings$path" \
    -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"
}

first=$(graph POST '/createOrGet?$select=id' -d "{\"externalId\":\"$order\",\"subject\":\"Order $order\"}" | member id)
again=$(graph POST '/createOrGet?$select=id' -d "{\"externalId\":\"$order\"}" | member id)
[ "$first" = "$again" ]

graph PATCH "/$first" -o /dev/null -d '{"startDateTime":"2031-02-06T09:00:00Z","endDateTime":"2031-02-06T10:00:00Z","lobbyBypassSettings":{"scope":"everyone"}}'
link=$(graph GET "/$first?\$select=joinWebUrl" | member joinWebUrl)
found=$(graph GET '' --get --data-urlencode "\$filter=JoinWebUrl eq '$link'" --data-urlencode '$select=id' | member id)
[ "$found" = "$first" ]
curl -sS --fail --cacert "$CONVENE_CA" -o /dev/null "$link" # the page that people see

graph DELETE "/$first"
echo "one meeting for $order: $link"
