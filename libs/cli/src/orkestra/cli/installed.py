"""Which of Orkestra's services and examples are installed beside this command."""

from importlib.util import find_spec

EXAMPLES = (
    "customer_support.workflows",
    "customer_support.quick",
    "content_moderation.workflows",
    "expense_report.workflows",
    "refund_approval.workflows",
)
SCHEMAS = {  # package: schema and roles besides the usual ones
    "orkestra.identity_service": ("identity", ("lookup",)),
    "orkestra.task_service": ("task", ()),
    "orkestra.workflow_worker": ("workflow", ()),
    "orkestra.notification_service": ("notification", ()),
    "orkestra.api_gateway": ("gateway", ()),
    "orkestra.mcp_gateway": ("mcp", ()),
    "orkestra.dashboard": ("dashboard", ()),
}


def absent() -> list[str]:
    """The services that are not installed beside this command."""
    return [package.removeprefix("orkestra.").replace("_", "-") for package in SCHEMAS if find_spec(package) is None]


def examples() -> list[str]:
    """Those of the examples' modules that are installed."""
    return [module for module in EXAMPLES if find_spec(module.partition(".")[0]) is not None]
