"""What the operations of this service share: its statements."""

from orkestra.chassis import sql as statements

sql = statements.load("orkestra.notification_service")
