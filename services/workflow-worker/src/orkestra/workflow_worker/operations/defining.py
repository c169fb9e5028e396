"""What can be run, as workers made it known."""

from orkestra.chassis.operations import Tx, operation_above_tenants, read, read_above_tenants
from orkestra.forms import Invalid, check_schema
from orkestra.v1.workflow import (
    Definition,
    GetDefinitionRequest,
    ListDefinitionsRequest,
    ListDefinitionsResponse,
    RegisterDefinitionsRequest,
    Workflow,
)
from orkestra.wire import Context, FailedPrecondition, FieldError, InvalidArgument, TooLarge
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import Base, definition_of, history_format, sql

MOST_DEFINITIONS = 200


class Defining(Base):
    """The rpcs about definitions."""

    @read
    async def get_definition(self, tx: Tx, request: GetDefinitionRequest) -> Definition:
        return await definition_of(tx, request.name, request.version)

    @read_above_tenants
    async def list_definitions(self, tx: Tx, request: ListDefinitionsRequest) -> ListDefinitionsResponse:
        if request.name is not None:
            await definition_of(tx, request.name, None)
            versions = await sql.versions_of_definition.all(tx.conn, Definition, name=request.name)
            return ListDefinitionsResponse(definitions=versions)
        return ListDefinitionsResponse(definitions=await sql.newest_definitions.all(tx.conn, Definition))

    @operation_above_tenants
    async def register_definitions(self, tx: Tx, request: RegisterDefinitionsRequest) -> ListDefinitionsResponse:
        rules.check_may("register", tx.ctx.principal)
        if len(request.definitions) > MOST_DEFINITIONS:
            raise TooLarge("TOO_MANY_DEFINITIONS", f"A worker registers at most {MOST_DEFINITIONS} definitions.")
        in_order = sorted(request.definitions, key=lambda one: (one.name, one.version))
        tx.afterwards(self.definitions.clear)
        return ListDefinitionsResponse(definitions=[await self._register(tx, one) for one in in_order])

    async def _register(self, tx: Tx, given: Definition) -> Definition:
        _check_schemas(given)
        known = await sql.get_definition.one(tx.conn, Definition, name=given.name, version=given.version)
        changed = rules.changed_schemas(known, given) if known is not None else []
        if changed and not self.development:
            raise FailedPrecondition(
                "DEFINITION_CHANGED",
                f"{given.name} version {given.version} is registered with another {' and '.join(changed)}: "
                "give it a new version.",
            )
        if known is not None and history_format(given) < history_format(known):
            raise FailedPrecondition(
                "SDK_TOO_OLD",
                f"{given.name} version {given.version} was first registered by a newer orkestra-sdk, and its runs can "
                "only go on with that: update orkestra-sdk, or give the definition a new version.",
            )
        values = given.model_dump(exclude={"registered_at"}) | {"history_format": history_format(given)}
        registered = await sql.register_definition.one(tx.conn, Definition, **values)
        assert registered is not None  # noqa: S101 - an upsert returns its row
        return registered

    async def definition_of_run(self, ctx: Context, run: Workflow) -> Definition:
        known = self.registered.get((run.definition, run.version))
        if known is None:
            named = GetDefinitionRequest(name=run.definition, version=run.version)
            known = await self.get_definition(ctx, named)
            self.registered[run.definition, run.version] = known
        return known


def _check_schemas(given: Definition) -> None:
    for name in ("input_schema", "output_schema"):
        try:
            check_schema(getattr(given, name))
        except Invalid as invalid:
            faults = [problem.under(name) for problem in invalid.problems]
            raise InvalidArgument(
                "SCHEMA_INVALID",
                f"The {name} of {given.name} cannot be used.",
                errors=[FieldError(fault.path, fault.code, fault.message) for fault in faults],
            ) from None
