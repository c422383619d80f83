#!/bin/sh
# Makes what docker-compose.yml takes from ./secrets; what is there already stays as it is. The folder
# is for its owner alone, so the files may be readable: each container reads them as a user of its own.
set -eu
folder=${1:-secrets} name=${2:-localhost}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

keep() {
    if [ -e "$folder/$1" ]; then
        echo "$folder/$1 stays as it is"
        return 1
    fi
    echo "$folder/$1 is made"
}

for secret in grafana_admin_password influx_admin_password influx_admin_token mqtt_password; do
    if keep "$secret"; then openssl rand -hex 32 >"$folder/$secret"; fi
done
# Yours to fill in: LINE's channel, the mail server, the simulator's key.
for secret in line_secret line_token simulator_key smtp_password; do
    if keep "$secret"; then : >"$folder/$secret"; fi
done
# For a first look. Replace both by a certificate that browsers and gateways trust.
if keep tls_certificate; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 397 \
        -subj "/CN=$name" -addext "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" \
        -keyout "$folder/tls_key" -out "$folder/tls_certificate" 2>/dev/null
fi
mkdir -p "$folder/webhooks"  # a file for each secret that notify.yaml names
find "$folder" -mindepth 1 -type d -exec chmod 755 {} +
find "$folder" -type f -exec chmod 444 {} +
