"""Pinned builds: a run stays on the build of the code that it began on; new ones begin on the promoted one."""

from datetime import timedelta

from orkestra.wire import NotFound, Unavailable
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

LONGEST_CALL = timedelta(seconds=20)


def pinned(deployment: str, build: str) -> WorkerDeploymentConfig:
    """Return what makes a Temporal worker keep its runs to itself and the other workers of its build."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=deployment, build_id=build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def promote(client: Client, deployment: str, build: str) -> None:
    """Let new runs begin on this build; those that run stay where they are.

    Refuses (NotFound) a build of which no worker has polled yet.
    """
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=deployment, build_id=build, identity=client.identity
    )
    try:
        await client.workflow_service.set_worker_deployment_current_version(request, timeout=LONGEST_CALL)
    except RPCError as error:
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
            told = f"No worker of {deployment} has served the build {build} yet: {error.message.rstrip('?.')}."
            raise NotFound("BUILD_NOT_FOUND", told) from error
        raise Unavailable("TEMPORAL_UNAVAILABLE", f"Temporal cannot be asked: {error.message}.") from error
