#!/bin/sh
# A referral and back, with curl and openssl.
#   URL=http://127.0.0.1:8080 CLIENT=mijn-his KEY=key.pem OTHER=token-of-the-coach sh curl.sh
# KEY: RSA, of which the public half is registered under CLIENT with kid "rsa-1".
set -eu
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
ask() { token=$1; shift; curl -sS --fail-with-body -H "Authorization: Bearer $token" -H 'Content-Type: application/fhir+json' "$@"; }
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT

# 1. A token, for an assertion that is good once.
audience=$(curl -sS "$URL/fhir/.well-known/smart-configuration" | sed -n 's/.*"token_endpoint":"\([^"]*\)".*/\1/p')
header=$(printf '{"alg":"RS384","typ":"JWT","kid":"rsa-1"}' | base64url)
claims=$(printf '{"iss":"%s","sub":"%s","aud":"%s","exp":%s,"jti":"%s"}' \
    "$CLIENT" "$CLIENT" "$audience" $(($(date +%s) + 240)) "$(openssl rand -hex 16)" | base64url)
signature=$(printf '%s.%s' "$header" "$claims" | openssl dgst -sha384 -sign "$KEY" -binary | base64url)
own=$(curl -sS "$audience" -d grant_type=client_credentials --data-urlencode 'scope=system/*.cruds' \
    -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
    -d "client_assertion=$header.$claims.$signature" | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')

# 2. What runs here, and a referral under a number of your own.
curl -sS "$URL/fhir/metadata" | grep -q '"fhirVersion":"4.0.1"'
curl -sS "$URL/guide/files/examples/referral-welzijn-op-recept.json" |
    sed "s/2026-000123/$(openssl rand -hex 6)/" >"$box/referral.json"
ask "$own" "$URL/fhir" --data-binary "@$box/referral.json" >"$box/answer.json"
task=$(sed -n 's/.*"location":"\(Task\/[^/]*\)\/_history.*/\1/p' "$box/answer.json")

# 3. The other side works on it: what may happen now, and then what happened.
happened() { printf '{"resourceType":"Parameters","parameter":[{"name":"event","valueString":"%s"}%s]}' "$1" "${2-}"; }
ask "$OTHER" "$URL/fhir/$task/\$next" | grep -q aannemen
for event in aannemen 'eerste contact' 'kennismaking gehouden'; do
    ask "$OTHER" "$URL/fhir/$task/\$event" -d "$(happened "$event")" >"$box/step.json"
done
ask "$OTHER" "$URL/fhir/$task/\$event" >"$box/step.json" \
    -d "$(happened afronden ',{"name":"terugkoppeling","valueString":"Gaat elke week wandelen."}')"

# 4. You read what came of it. (A Subscription tells you of each change: see What you can rely on.)
ask "$own" -X GET "$URL/fhir/Task?status=completed&_id=${task#Task/}" | grep -o 'Gaat elke week wandelen.' | head -n 1

# Was it a mistake: DELETE "$URL/fhir/ServiceRequest/<id>" while it runs. It stands as entered-in-error; nothing is erased.
