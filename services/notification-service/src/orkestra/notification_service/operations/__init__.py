"""Every rpc of NotificationService, and what its consumers and loops write."""

from orkestra.chassis.database import Database
from orkestra.notification_service.operations.base import sql
from orkestra.notification_service.operations.deliveries import Deliveries, Lane, Letter, Patience, put
from orkestra.notification_service.operations.feeds import (
    Feeds,
    Groups,
    OwnFeed,
    Retention,
    remember_group,
    remember_person,
)
from orkestra.notification_service.operations.webhooks import Reach, SecretOf, Webhooks

__all__ = [
    "Deliveries",
    "Feeds",
    "Groups",
    "Lane",
    "Letter",
    "NotificationOperations",
    "Patience",
    "Reach",
    "Retention",
    "put",
    "remember_group",
    "remember_person",
    "sql",
]


class NotificationOperations(OwnFeed, Webhooks):
    """Every rpc of NotificationService."""

    def __init__(self, database: Database, *, reach: Reach, secret_of: SecretOf) -> None:
        self.database = database
        self.reach = reach
        self.secret_of = secret_of
