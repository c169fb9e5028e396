"""What the two roles of workflow-worker can be told."""

from typing import Literal

from orkestra.chassis.settings import DatabaseSettings, GrpcSettings, IdentitySettings, NatsSettings, ServiceSettings
from pydantic import Field, SecretStr


class RoleSettings(ServiceSettings):
    """Which of its two jobs the process does."""

    role: Literal["api", "worker"] = Field("api", description="api serves WorkflowService; worker runs workflows.")
    temporal_address: str = Field(..., description="host:port of Temporal's frontend.")
    temporal_namespace: str = Field("default", description="Namespace in Temporal that runs live in.")
    task_address: str = Field(..., description="host:port of task-service.")


class ApiSettings(DatabaseSettings, NatsSettings, IdentitySettings, GrpcSettings, RoleSettings):
    """The role api."""


class WorkerSettings(RoleSettings):
    """The role worker."""

    identity_address: str = Field(..., description="host:port of identity-service.")
    workflow_address: str = Field(..., description="host:port of the role api.")
    worker_key: SecretStr = Field(..., description="The installation's key for its workers.")
    workflow_modules: str = Field(..., description="Modules with workflows to run, comma separated.")
    task_queue: str = Field("orkestra", description="Task queue of definitions that name none.")
