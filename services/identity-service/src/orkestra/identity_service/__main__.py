"""The process identity-service."""

import zoneinfo
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from orkestra.chassis import process, streams
from orkestra.chassis.database import Database
from orkestra.chassis.forgetting import Forgetting
from orkestra.chassis.relay import Relay
from orkestra.chassis.settings import secret
from orkestra.chassis.tokens import Signer
from orkestra.identity_service.operations import (
    IdentityOperations,
    InstallationKeys,
    Issuer,
    OwnDeletions,
    Passwords,
    Pepper,
    issuers,
    permitted,
)
from orkestra.identity_service.settings import IdentityServiceSettings
from orkestra.v1.identity import add_identity_service

SCHEMA = "identity"
MEND_PROVIDER = (
    "See that its issuer in ORKESTRA_OIDC_PROVIDERS is what it calls itself, letter by letter; that we reach it and"
    " trust its certificate (ORKESTRA_OIDC_CA_FILE); and that internal_hosts names each host inside the network that"
    " it sends us to. Nobody signs in by it until then."
)


@asynccontextmanager
async def build(running: process.Process, settings: IdentityServiceSettings) -> AsyncIterator[None]:
    """Open what identity-service needs and register its parts."""
    async with AsyncExitStack() as stack:
        database = await Database.connect(settings.database_url, schema=SCHEMA, max_size=settings.pool_size)
        stack.push_async_callback(database.close)
        lookup = await Database.connect(settings.lookup_database_url, schema=SCHEMA, max_size=settings.pool_size)
        stack.push_async_callback(lookup.close)
        sweep = await Database.connect(settings.sweep_database_url, schema=SCHEMA, max_size=1)
        stack.push_async_callback(sweep.close)
        nats = await streams.connect(
            settings.nats_url, name="identity-service", replicas=settings.nats_replicas, access=settings.nats_access
        )
        stack.push_async_callback(nats.close)
        passwords = Passwords()
        stack.callback(passwords.close)
        outside = sign_in_at(running, settings, stack)
        signer = Signer(settings.token_signing_key)
        operations = IdentityOperations(
            database=database,
            lookup=lookup,
            signer=signer,
            pepper=Pepper(secret(settings.key_pepper).encode()),
            passwords=passwords,
            time_zones=frozenset(zoneinfo.available_timezones()),
            development=settings.development,
            issuers=outside,
            password_sign_in=settings.password_sign_in,
        )
        stack.push_async_callback(operations.settle)
        server = running.grpc_server(settings.grpc_port)
        add_identity_service(server, operations, permitted(signer.verifier().authenticate))
        installed = {"service": secret(settings.service_key), "worker": secret(settings.worker_key)}
        keys = InstallationKeys(operations, installed)
        running.need("postgres", database.check)
        running.need("installation keys", keys.check)
        running.watch("nats", nats.check)
        running.loop("installation keys", keys.run)
        running.loop("deleted tenants", Forgetting(sweep, nats, OwnDeletions(database)).run)
        running.loop("relay", Relay(settings.relay_database_url, nats, schema=SCHEMA, of=(database, sweep)).run)
        yield


def sign_in_at(
    running: process.Process, settings: IdentityServiceSettings, stack: AsyncExitStack
) -> Mapping[str, Issuer]:
    """Return the providers that people sign in at, by their ids."""
    outside, http = issuers(settings.providers, ca_file=settings.oidc_ca_file, development=settings.development)
    stack.push_async_callback(http.aclose)
    for provider_id, issuer in outside.items():
        running.outside(f"provider {provider_id}", issuer.check, remedy=MEND_PROVIDER)
    return outside


if __name__ == "__main__":
    process.run("identity-service", IdentityServiceSettings, build)
