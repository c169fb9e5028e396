"""Every rpc of NotificationService, and what its consumers and loops write."""

from datetime import timedelta
from typing import Protocol

from orkestra.chassis.database import Database
from orkestra.notification_service.operations.base import sql
from orkestra.notification_service.operations.confirming import Confirming
from orkestra.notification_service.operations.deliveries import Deliveries, Lane, Letter, Patience, put
from orkestra.notification_service.operations.erased import without_erased
from orkestra.notification_service.operations.feeds import Feeds, OwnFeed, Retention
from orkestra.notification_service.operations.forgetting import Forgetting
from orkestra.notification_service.operations.mailing import MAIL_LINK, Mailing
from orkestra.notification_service.operations.people import Groups, remember_group, remember_person
from orkestra.notification_service.operations.reaching import Heard
from orkestra.notification_service.operations.webhooks import Reach, Webhooks
from orkestra.notification_service.operations.wishes import Directory, Recipient, Wishes

__all__ = [
    "MAIL_LINK",
    "Deliveries",
    "Directory",
    "Feeds",
    "Groups",
    "Heard",
    "Lane",
    "Letter",
    "Mailing",
    "NotificationOperations",
    "Patience",
    "Reach",
    "Recipient",
    "Retention",
    "put",
    "remember_group",
    "remember_person",
    "sql",
    "without_erased",
]


class SecretKeeper(Protocol):
    """Makes and opens what only this installation can."""

    def webhook(self, webhook_id: str, generation: int) -> str: ...
    def seal(self, text: str) -> str: ...
    def open_link_token(self, tenant_id: str, token: str) -> str | None: ...


class NotificationOperations(OwnFeed, Webhooks, Wishes, Confirming, Forgetting):
    """Every rpc of NotificationService."""

    def __init__(
        self, database: Database, groups: Groups, *, reach: Reach, secrets: SecretKeeper, link_lifetime: timedelta
    ) -> None:
        self.database = database
        self.groups = groups
        self.reach = reach
        self.secret_of = secrets.webhook
        self.seal = secrets.seal
        self.open_token = secrets.open_link_token
        self.link_lifetime = link_lifetime
