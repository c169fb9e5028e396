"""The key that secrets are made of is rotated: the new one makes them, the old one still opens and still signs."""

import pytest
from orkestra.chassis.settings import SettingsError, load
from orkestra.notification_service.channels.secrets import Secrets
from orkestra.notification_service.settings import NotificationServiceSettings

OLD, NEW = b"o" * 40, b"n" * 40
TENANT, DELIVERY, HOOK = "tenant", "delivery_1", "webhook_1"


ENVIRONMENT = {
    **{f"ORKESTRA_{name}DATABASE_URL": "postgresql://nowhere" for name in ("", "RELAY_", "SWEEP_")},
    "ORKESTRA_NATS_URL": "nats://nowhere",
    "ORKESTRA_IDENTITY_ADDRESS": "nowhere:1",
    "ORKESTRA_GRPC_PORT": "0",
    "ORKESTRA_HEALTH_PORT": "0",
    "ORKESTRA_SERVICE_KEY": OLD.decode(),
}


def keys(**given: str) -> list[bytes]:
    """What a process makes its secrets of, that has the service key of before."""
    return load(NotificationServiceSettings, ENVIRONMENT | given).own_keys


def test_what_was_made_before_a_rotation_still_holds_and_the_new_key_makes_all_that_is_new() -> None:
    old, new, rotated = Secrets(OLD), Secrets(NEW), Secrets(NEW, OLD)
    assert rotated.webhooks(HOOK, 1) == [new.webhook(HOOK, 1), old.webhook(HOOK, 1)]
    assert rotated.webhook(HOOK, 1) == new.webhook(HOOK, 1)
    assert rotated.link_token(TENANT, DELIVERY) == new.link_token(TENANT, DELIVERY)
    for one in (old, new):
        assert rotated.unseal(one.seal("https://hooks.example/1")) == "https://hooks.example/1"
        assert rotated.open_link_token(TENANT, one.link_token(TENANT, DELIVERY)) == DELIVERY
        assert rotated.open_link_token("another", one.link_token(TENANT, DELIVERY)) is None
    assert new.unseal(rotated.seal("https://hooks.example/2")) == "https://hooks.example/2"


def test_without_the_old_key_nothing_of_it_is_accepted() -> None:
    old, new = Secrets(OLD), Secrets(NEW)
    assert new.unseal(old.seal("https://hooks.example/1")) is None
    assert new.open_link_token(TENANT, old.link_token(TENANT, DELIVERY)) is None
    assert old.webhook(HOOK, 1) not in new.webhooks(HOOK, 1)


def test_the_service_key_of_before_is_kept_where_secrets_were_made_of_it() -> None:
    assert keys() == [OLD]
    assert keys(ORKESTRA_NOTIFICATION_KEY=f"{NEW.decode()}, {OLD.decode()}") == [NEW, OLD]


def test_each_key_has_to_be_long() -> None:
    with pytest.raises(SettingsError, match="at least 32 characters"):
        keys(ORKESTRA_NOTIFICATION_KEY=f"{NEW.decode()},short")
