#!/usr/bin/env bash
# Makes the certificates of the tests anew: an authority, brokers on loopback, and a client. They protect nothing.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
days=36500
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$work/$1.key"; }

key ca
openssl req -x509 -new -key "$work/ca.key" -days $days -subj "/CN=Flott test authority" \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -out ca.pem
for name in broker client; do
  key $name
  openssl req -new -key "$work/$name.key" -subj "/CN=flott-$name" -out "$work/$name.csr"
  printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' > "$work/extensions"
  openssl x509 -req -in "$work/$name.csr" -CA ca.pem -CAkey "$work/ca.key" -CAcreateserial -days $days \
    -extfile "$work/extensions" -out "$work/$name.crt"
  cat "$work/$name.key" "$work/$name.crt" ca.pem > $name.pem
done
rm -f ca.srl
