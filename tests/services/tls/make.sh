#!/usr/bin/env bash
# Makes the certificates of the tests anew: an authority, brokers on loopback, and a client. They protect nothing.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# They are good from the year 2000 on: a machine's clock may be behind.
begin=20000101000000Z end=21000101000000Z
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$work/$1.key"; }

key ca
sign() { openssl ca -batch -notext -config "$work/ca.conf" -startdate $begin -enddate $end "$@"; }

mkdir "$work/new"
touch "$work/index"
echo 01 > "$work/serial"
cat > "$work/ca.conf" <<END
[ca]
default_ca = flott
[flott]
new_certs_dir = $work/new
database = $work/index
serial = $work/serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[end]
subjectAltName = IP:127.0.0.1
extendedKeyUsage = serverAuth,clientAuth
END
openssl req -new -key "$work/ca.key" -subj "/CN=Flott test authority" -out "$work/ca.csr"
sign -selfsign -keyfile "$work/ca.key" -extensions authority -in "$work/ca.csr" -out ca.pem
for name in broker client; do
  key $name
  openssl req -new -key "$work/$name.key" -subj "/CN=flott-$name" -out "$work/$name.csr"
  sign -cert ca.pem -keyfile "$work/ca.key" -extensions end -in "$work/$name.csr" -out "$work/$name.crt"
  cat "$work/$name.key" "$work/$name.crt" ca.pem > $name.pem
done
