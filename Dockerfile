# One file for every image:  docker build --build-arg SERVICE=task-service --tag orkestra/task-service .
# SERVICE is a folder of services/, or `migrations`, which brings schemas up to date, or `evaluation`: small servers
# and an example for trying it out.
# BASE is any image with Python 3.11 or newer and its venv module. Where an index of your own is to be asked, give
# pip's and npm's settings as secrets: --secret id=pip,src=pip.conf --secret id=npm,src=npmrc
ARG BASE=python:3.12-slim
ARG SERVICE=task-service

FROM ${BASE} AS tools
ENV UV_SYSTEM_CERTS=true
WORKDIR /src
COPY requirements.lock pyproject.toml ./
COPY tools/install.py tools/image.py tools/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf python3 -m tools.image tools

FROM tools AS manifests
COPY libs libs
COPY services services
COPY examples examples
RUN python3 -m tools.image manifests

FROM tools AS dependencies
ARG SERVICE
COPY --from=manifests /manifests ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf /tools/bin/python -m tools.image dependencies "${SERVICE}"

FROM tools AS frontend
COPY tools/build_frontend.py tools/
COPY services/dashboard services/dashboard
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=npm,target=/root/.npmrc \
    /tools/bin/python tools/build_frontend.py --force

FROM dependencies AS sources
COPY libs libs
COPY services services
COPY examples examples

FROM sources AS sources-identity-service
FROM sources AS sources-task-service
FROM sources AS sources-workflow-worker
FROM sources AS sources-notification-service
FROM sources AS sources-api-gateway
FROM sources AS sources-mcp-gateway
FROM sources AS sources-migrations
FROM sources AS sources-evaluation
FROM sources AS sources-dashboard
COPY --from=frontend /src/services/dashboard/src/orkestra/dashboard/static services/dashboard/src/orkestra/dashboard/static

# An unknown SERVICE is refused here by name.
# hadolint ignore=DL3006
FROM sources-${SERVICE} AS packages
ARG SERVICE
RUN /tools/bin/python -m tools.image packages "${SERVICE}"

FROM ${BASE}
ARG SERVICE
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="orkestra ${SERVICE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT" \
      io.orkestra.sbom="/opt/orkestra/sbom.cdx.json"
COPY --from=packages /etc/passwd /etc/group /etc/
COPY --from=packages /opt/orkestra /opt/orkestra
ENV PATH=/opt/orkestra/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "orkestra_service"]
