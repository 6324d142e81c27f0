#!/bin/sh
# A system of your own, with openssl and curl alone: a key, its registration, a token, a referral.
#
#   ./run serve --embedded              in one terminal
#   sh docs/refer-with-a-token.sh       in another, here; an address may follow
set -eu

base=${1:-http://127.0.0.1:8080}
name=mijn-his-$(openssl rand -hex 3)
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# 1. A key that never leaves your system, and its public half. (The last bytes of a public RSA key are modulus and exponent.)
openssl genrsa -out "$box/key.pem" 2048 2>/dev/null
modulus=$(openssl rsa -in "$box/key.pem" -pubout -outform DER 2>/dev/null | tail -c 261 | head -c 256 | base64url)
printf '{"keys":[{"kty":"RSA","kid":"1","use":"sig","n":"%s","e":"AQAB"}]}' "$modulus" >"$box/jwks.json"

# 2. Who runs ketenzorg registers it, for a practice of the sandbox. Better than a file: --jwks-url https://…
./run client add "$name" --embedded --organisation 99990003 --scope 'system/*.cruds' --jwks "$box/jwks.json"
sleep 1 # until every process knows it

# 3. An assertion: signed by your key, good for one token.
now=$(date +%s)
header=$(printf '{"alg":"RS384","typ":"JWT","kid":"1"}' | base64url)
claims=$(printf '{"iss":"%s","sub":"%s","aud":"%s/auth/token","exp":%s,"jti":"%s"}' \
    "$name" "$name" "$base" $((now + 240)) "$(openssl rand -hex 16)" | base64url)
signature=$(printf '%s.%s' "$header" "$claims" | openssl dgst -sha384 -sign "$box/key.pem" -binary | base64url)

# 4. A token of five minutes for it.
answer=$(curl -sS "$base/auth/token" \
    -d grant_type=client_credentials --data-urlencode 'scope=system/*.cruds' \
    -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
    -d "client_assertion=$header.$claims.$signature")
token=$(printf '%s' "$answer" | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
[ -n "$token" ] || { printf '%s\n' "$answer" >&2; exit 1; }

# 5. A referral.
curl -sS "$base/fhir" -H "Authorization: Bearer $token" -H "Content-Type: application/fhir+json" \
    --data-binary @fhir_profiles/examples/referral-welzijn-op-recept.json
