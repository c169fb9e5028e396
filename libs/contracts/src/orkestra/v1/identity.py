"""Generated from orkestra/v1/identity.proto by tools/generate.py; do not edit."""

from enum import StrEnum
from typing import Any, Protocol

from grpc.aio import Server
from pydantic import Field

from orkestra.v1 import identity_pb2 as pb
from orkestra.wire import Authenticate, Context, Int32, Int64, Model, RpcClient, UtcDatetime, bind


class PrincipalKind(StrEnum):
    """What acts."""

    USER = "user"
    """A person."""
    AGENT = "agent"
    """A program that asks people; it never decides."""
    SERVICE = "service"
    """An outside system or one of Orkestra's own services."""


class Role(StrEnum):
    """What a principal may do in its tenant."""

    ADMIN = "admin"
    MANAGER = "manager"
    MEMBER = "member"
    AGENT = "agent"
    SYSTEM = "system"
    WORKER = "worker"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    """Above tenants: creates and suspends them, sees no content."""


class TenantStatus(StrEnum):
    """Where a tenant stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class UserStatus(StrEnum):
    """Where a person's account stands."""

    ACTIVE = "active"
    DISABLED = "disabled"


class GroupStrategy(StrEnum):
    """To which of its members a group gives what is offered to it alone."""

    PULL = "pull"
    """To nobody: anyone of them claims it."""
    ROUND_ROBIN = "round_robin"
    """To one after the other."""
    LEAST_LOADED = "least_loaded"
    """To whoever has the fewest live tasks."""
    STICKY = "sticky"
    """To whoever worked last on the same correlation."""


class MailLinkPurpose(StrEnum):
    """What a mailed link is for."""

    INVITATION = "invitation"
    """To choose a first password."""
    PASSWORD_RESET = "password_reset"
    """To choose a new password."""


class ExchangeCredentialRequest(Model, pb=pb.ExchangeCredentialRequest):
    """A credential as it was presented at a door."""

    credential: str = Field(
        description="An API key (ork_…), a session token (ors_…), an installation key or an outside issuer's access token (a JWT)."
    )
    tenant_id: str | None = Field(default=None, description="Only with an installation key: the tenant to act in.")
    ip: str | None = Field(
        default=None, description="The caller's address as the door saw it, for keys with an IP range."
    )
    audience: str | None = Field(
        default=None,
        description="The resource (RFC 8707) that an outside access token must be meant for, where the door serves agents; a person's token then acts as an agent for that person. Without one the token must be meant for the REST API.",
    )


class GetSigningKeysRequest(Model, pb=pb.GetSigningKeysRequest):
    """Nothing to say."""


class SigningKeys(Model, pb=pb.SigningKeys):
    """The public signing keys."""

    jwks: dict[str, Any] = Field(description="JWK set (RFC 7517).")


class SignInRequest(Model, pb=pb.SignInRequest):
    """E-mail and password of a person."""

    email: str
    password: str
    tenant: str | None = Field(
        default=None, description="The tenant's slug; needed only where the address exists in several."
    )


class ListSignInMethodsRequest(Model, pb=pb.ListSignInMethodsRequest):
    """Whose sign-in methods."""

    tenant: str | None = Field(
        default=None, description="The tenant's slug; without it only what is open to all tenants is told."
    )


class SignInProvider(Model, pb=pb.SignInProvider):
    """An OpenID Connect provider that people sign in at."""

    provider_id: str
    name: str = Field(description="What its button says.")


class BeginSignInRequest(Model, pb=pb.BeginSignInRequest):
    """Where a person wants to sign in."""

    provider_id: str
    redirect_uri: str = Field(description="Where the provider sends the browser back to; registered at the provider.")
    tenant: str | None = Field(default=None, description="The tenant's slug.")


class SignInAttempt(Model, pb=pb.SignInAttempt):
    """A sign-in that has begun."""

    authorization_url: str = Field(description="Where the browser goes.")
    attempt: str = Field(
        description="What the same browser brings back with the provider's answer; sealed, good for 10 minutes."
    )
    state: str = Field(description="What the provider's answer will carry; it tells one attempt from another.")


class CompleteSignInRequest(Model, pb=pb.CompleteSignInRequest):
    """A provider's answer, as the browser brought it."""

    attempt: str
    state: str
    code: str | None = Field(default=None)
    error: str | None = Field(default=None, description="The provider's refusal (RFC 6749, section 4.1.2.1).")
    iss: str | None = Field(default=None, description="Who answers (RFC 9207), where the provider says it.")


class LinkedSubject(Model, pb=pb.LinkedSubject):
    """Who a subject of an outside issuer is here."""

    subject_id: str = Field(description="subject_ and 32 hexadecimal digits.")
    tenant_id: str
    issuer: str
    subject: str = Field(description="The issuer's own name of the person or program (the claim sub).")
    principal: str = Field(description="User id or key id.")
    created_at: UtcDatetime


class LinkSubjectRequest(Model, pb=pb.LinkSubjectRequest):
    """Who is to be known as whom."""

    issuer: str = Field(description="One of the installation's providers.")
    subject: str = Field(description="1..255 characters.")
    principal: str = Field(description="User id, e-mail address or key id.")


class ListLinkedSubjectsRequest(Model, pb=pb.ListLinkedSubjectsRequest):
    """The page wanted."""

    principal: str | None = Field(default=None, description="Only of this person or key.")
    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class UnlinkSubjectRequest(Model, pb=pb.UnlinkSubjectRequest):
    """Names a linked subject."""

    subject_id: str


class CheckSessionsRequest(Model, pb=pb.CheckSessionsRequest):
    """The sessions of pages that are open."""

    tokens: list[str] = Field(default_factory=list, description="Session tokens (ors_…), at most 500.")


class SignOutRequest(Model, pb=pb.SignOutRequest):
    """Names the session to end."""

    token: str = Field(description="The session token itself.")


class SignOutResponse(Model, pb=pb.SignOutResponse):
    """Nothing but the fact."""


class GetMeRequest(Model, pb=pb.GetMeRequest):
    """Nothing to say."""


class UpdateMeRequest(Model, pb=pb.UpdateMeRequest):
    """What changes about the caller; what is absent stays."""

    name: str | None = Field(default=None)
    locale: str | None = Field(default=None, description="BCP 47, such as de; empty for the browser's.")
    time_zone: str | None = Field(
        default=None, description="IANA name, such as Europe/Berlin; empty for the browser's."
    )
    version: Int64 | None = Field(
        default=None, description="The version of the person that the caller saw; refused where it is another."
    )


class ListTenantsRequest(Model, pb=pb.ListTenantsRequest):
    """The page wanted."""

    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class GetTenantRequest(Model, pb=pb.GetTenantRequest):
    """Names a tenant."""

    tenant_id: str = Field(description="UUID.")


class UpdateTenantRequest(Model, pb=pb.UpdateTenantRequest):
    """What changes about a tenant; what is absent stays."""

    tenant_id: str = Field(description="UUID.")
    name: str | None = Field(default=None)
    version: Int64 | None = Field(
        default=None, description="The version that the caller saw; refused where the tenant has another."
    )


class SuspendTenantRequest(Model, pb=pb.SuspendTenantRequest):
    """Names the tenant to suspend."""

    tenant_id: str = Field(description="UUID.")
    reason: str | None = Field(default=None, description="Kept in the tenant's audit; at most 500 characters.")


class ResumeTenantRequest(Model, pb=pb.ResumeTenantRequest):
    """Names the tenant to let in again."""

    tenant_id: str = Field(description="UUID.")
    reason: str | None = Field(default=None, description="Kept in the tenant's audit; at most 500 characters.")


class DeleteTenantRequest(Model, pb=pb.DeleteTenantRequest):
    """Names the tenant to delete."""

    tenant_id: str = Field(description="UUID.")
    slug: str = Field(description="The tenant's slug, typed to confirm.")
    reason: str | None = Field(default=None, description="Kept with the deletion; at most 500 characters.")


class DeletedTenant(Model, pb=pb.DeletedTenant):
    """A tenant that was deleted: who did it, when and why."""

    deletion_id: str = Field(description="deletion_ and 32 hexadecimal digits.")
    tenant_id: str = Field(description="UUID; it answers like one that never was.")
    slug: str
    deleted_by: str = Field(description="The principal's subject.")
    deleted_at: UtcDatetime
    reason: str | None = Field(default=None)
    door: str | None = Field(default=None, description="Through which door: rest, mcp or dashboard.")


class ListDeletedTenantsRequest(Model, pb=pb.ListDeletedTenantsRequest):
    """The page wanted."""

    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class GetUserRequest(Model, pb=pb.GetUserRequest):
    """Names a person."""

    user_id: str = Field(description="User id or e-mail address.")


class ListUsersRequest(Model, pb=pb.ListUsersRequest):
    """The page wanted."""

    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class DisableUserRequest(Model, pb=pb.DisableUserRequest):
    """Names the person to disable."""

    user_id: str = Field(description="User id or e-mail address.")


class EnableUserRequest(Model, pb=pb.EnableUserRequest):
    """Names the person to let in again."""

    user_id: str = Field(description="User id or e-mail address.")


class ChangePasswordRequest(Model, pb=pb.ChangePasswordRequest):
    """A person's own password, old and new."""

    token: str = Field(description="The session to keep.")
    current_password: str
    new_password: str = Field(description="12..256 characters.")


class ChangePasswordResponse(Model, pb=pb.ChangePasswordResponse):
    """Nothing but the fact."""


class InviteUserRequest(Model, pb=pb.InviteUserRequest):
    """Names the person to invite."""

    user_id: str = Field(description="User id or e-mail address.")


class RequestPasswordResetRequest(Model, pb=pb.RequestPasswordResetRequest):
    """Whose password is to be chosen anew."""

    email: str
    tenant: str | None = Field(
        default=None, description="The tenant's slug; without it everyone with the address is mailed a link."
    )


class RequestPasswordResetResponse(Model, pb=pb.RequestPasswordResetResponse):
    """Nothing but that the request was read."""


class RedeemMailLinkRequest(Model, pb=pb.RedeemMailLinkRequest):
    """What a mailed link carries, and the password chosen."""

    token: str
    password: str = Field(description="12..256 characters.")


class RedeemMailLinkResponse(Model, pb=pb.RedeemMailLinkResponse):
    """Who can sign in now."""

    email: str
    tenant: str = Field(description="The tenant's slug.")


class GetMailLinkTokenRequest(Model, pb=pb.GetMailLinkTokenRequest):
    """Names a link."""

    link_id: str


class GetGroupRequest(Model, pb=pb.GetGroupRequest):
    """Names a group."""

    group_id: str


class ListGroupsRequest(Model, pb=pb.ListGroupsRequest):
    """The page wanted."""

    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class DeleteGroupRequest(Model, pb=pb.DeleteGroupRequest):
    """Names the group to delete."""

    group_id: str


class AddMemberRequest(Model, pb=pb.AddMemberRequest):
    """Who comes into which group."""

    group_id: str
    user_id: str = Field(description="User id or e-mail address.")


class RemoveMemberRequest(Model, pb=pb.RemoveMemberRequest):
    """Who leaves which group."""

    group_id: str
    user_id: str = Field(description="User id or e-mail address.")


class ListApiKeysRequest(Model, pb=pb.ListApiKeysRequest):
    """The page wanted."""

    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class UpdateApiKeyRequest(Model, pb=pb.UpdateApiKeyRequest):
    """What changes about a key; what is absent stays."""

    key_id: str
    name: str | None = Field(default=None)
    add_on_behalf_of: list[str] = Field(
        default_factory=list, description="User ids or e-mail addresses; * for everyone."
    )
    remove_on_behalf_of: list[str] = Field(default_factory=list)
    add_allowed_ips: list[str] = Field(default_factory=list)
    remove_allowed_ips: list[str] = Field(
        default_factory=list, description="Where no range is left the key is accepted from everywhere."
    )
    expires_at: UtcDatetime | None = Field(default=None)
    version: Int64 | None = Field(
        default=None, description="The version that the caller saw; refused where the key has another."
    )


class RevokeApiKeyRequest(Model, pb=pb.RevokeApiKeyRequest):
    """Names the key to revoke."""

    key_id: str


class GetApiKeyRequest(Model, pb=pb.GetApiKeyRequest):
    """Names a key."""

    key_id: str


class RotateApiKeyRequest(Model, pb=pb.RotateApiKeyRequest):
    """Names the key to give a new secret."""

    key_id: str
    overlap_seconds: Int32 | None = Field(
        default=None, description="How long the secret before is still accepted: 0..604800, 86400 where absent."
    )
    expires_at: UtcDatetime | None = Field(
        default=None, description="When the key expires from now on; as before where absent."
    )


class ListAuditRequest(Model, pb=pb.ListAuditRequest):
    """Which entries, and the page wanted."""

    actor: str | None = Field(default=None, description="Only what this principal did.")
    action: str | None = Field(default=None, description="Only this action.")
    resource_id: str | None = Field(default=None, description="Only what was done to this resource.")
    since: UtcDatetime | None = Field(default=None, description="Only from then on.")
    until: UtcDatetime | None = Field(default=None, description="Only before then.")
    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class Substitution(Model, pb=pb.Substitution):
    """Who takes a person's place while they are out of office."""

    user_id: str = Field(description="User id of the person who is away.")
    substitute: str | None = Field(
        default=None, description="User id of whoever takes their place; nobody where absent."
    )
    begins_at: UtcDatetime | None = Field(default=None, description="From when; at once where absent.")
    ends_at: UtcDatetime | None = Field(default=None, description="Until when; without end where absent.")
    task_types: list[str] = Field(
        default_factory=list, description="For tasks of these types only; for all where empty."
    )
    version: Int64 = Field(description="Grows by one with each change.")


class SetSubstitutionRequest(Model, pb=pb.SetSubstitutionRequest):
    """Who is to take whose place."""

    user_id: str = Field(description="User id or e-mail address.")
    substitute: str | None = Field(default=None, description="User id or e-mail address; nobody where absent.")
    begins_at: UtcDatetime | None = Field(default=None)
    ends_at: UtcDatetime | None = Field(default=None)
    task_types: list[str] = Field(default_factory=list, description="At most 50, each of 1..200 characters.")


class GetSubstitutionRequest(Model, pb=pb.GetSubstitutionRequest):
    """Names the person."""

    user_id: str = Field(description="User id or e-mail address.")


class RepublishPeopleRequest(Model, pb=pb.RepublishPeopleRequest):
    """Asks for a page of events about the people of the caller's tenant."""

    page_token: str | None = Field(default=None)


class RepublishPeopleResponse(Model, pb=pb.RepublishPeopleResponse):
    """How many events were emitted, and where to go on; absent at the end."""

    emitted: Int32
    next_page_token: str | None = Field(default=None)


class EraseUserRequest(Model, pb=pb.EraseUserRequest):
    """Names the person."""

    user_id: str
    asked_by: str | None = Field(default=None, description="Who wanted it, for the audit.")


class EraseUserResponse(Model, pb=pb.EraseUserResponse):
    """How many records were changed or deleted."""

    erased: Int32


class AuditEntry(Model, pb=pb.AuditEntry):
    """Something that was administered: who did what to what."""

    entry_id: str = Field(description="audit_ and 32 hexadecimal digits.")
    tenant_id: str
    at: UtcDatetime
    actor: str = Field(description="The principal's subject.")
    actor_kind: PrincipalKind
    action: str = Field(description="The rpc in lower case with underscores, such as create_user.")
    resource: str = Field(description="tenant, user, group, api_key or subject.")
    resource_id: str
    before: dict[str, Any] | None = Field(
        default=None, description="The resource as it was, as far as it changed; never a secret."
    )
    after: dict[str, Any] | None = Field(
        default=None, description="The resource as it became, as far as it changed; never a secret."
    )
    door: str | None = Field(
        default=None, description="Through which door, where one is known: rest, mcp or dashboard."
    )


class AccessToken(Model, pb=pb.AccessToken):
    """A token that the services accept, and what it says."""

    token: str = Field(description="EdDSA JWT (RFC 8037).")
    expires_at: UtcDatetime
    subject: str
    kind: PrincipalKind
    tenant_id: str | None = Field(default=None)
    roles: list[Role] = Field(default_factory=list)
    groups: list[str] = Field(default_factory=list)
    name: str | None = Field(default=None, description="What the principal is called.")


class SessionState(Model, pb=pb.SessionState):
    """How one session stands."""

    is_good: bool = Field(
        description="Whether it lets somebody in: it has not ended, its person is active and the tenant is not suspended."
    )
    subject: str | None = Field(default=None, description="User id; of a good session, as all that follows.")
    tenant_id: str | None = Field(default=None)
    roles: list[Role] = Field(default_factory=list)
    groups: list[str] = Field(default_factory=list)


class CreateUserRequest(Model, pb=pb.CreateUserRequest):
    """A person to create."""

    email: str
    name: str
    roles: list[Role] = Field(default_factory=list, description="member where empty.")
    groups: list[str] = Field(default_factory=list)
    password: str | None = Field(
        default=None, description="12..256 characters; without one the person cannot sign in by password."
    )
    locale: str | None = Field(default=None)
    time_zone: str | None = Field(default=None)


class UpdateUserRequest(Model, pb=pb.UpdateUserRequest):
    """What changes about a person; what is absent stays."""

    user_id: str = Field(description="User id or e-mail address.")
    name: str | None = Field(default=None)
    roles: list[Role] = Field(default_factory=list, description="All of the person's roles; as they were where empty.")
    locale: str | None = Field(default=None, description="Empty for the browser's.")
    time_zone: str | None = Field(default=None, description="Empty for the browser's.")
    version: Int64 | None = Field(
        default=None, description="The version that the caller saw; refused where the person has another."
    )
    add_skills: list[str] = Field(default_factory=list, description="At most 50 in all, each of 1..200 characters.")
    remove_skills: list[str] = Field(default_factory=list)
    max_open_tasks: Int32 | None = Field(default=None, description="1..1000; 0 for as the group says.")
    email: str | None = Field(
        default=None, description="The new address; links that were mailed to the one before work no more."
    )


class ApiKey(Model, pb=pb.ApiKey):
    """A key for a program, without its secret."""

    key_id: str = Field(description="key_ and 32 hexadecimal digits.")
    tenant_id: str
    prefix: str = Field(description="The first characters of the key, to recognize it by: ork_ and 8 characters.")
    name: str
    kind: PrincipalKind = Field(description="agent or service.")
    roles: list[Role] = Field(default_factory=list)
    on_behalf_of: list[str] = Field(
        default_factory=list, description="User ids of people for whom the key may ask; * for everyone."
    )
    allowed_ips: list[str] = Field(
        default_factory=list, description="CIDR ranges from which it is accepted; everywhere where empty."
    )
    created_at: UtcDatetime
    expires_at: UtcDatetime | None = Field(default=None)
    last_used_at: UtcDatetime | None = Field(default=None)
    revoked_at: UtcDatetime | None = Field(default=None)
    version: Int64
    previous_until: UtcDatetime | None = Field(
        default=None, description="Until when the secret before the last rotation is accepted."
    )


class CreateApiKeyRequest(Model, pb=pb.CreateApiKeyRequest):
    """A key to create."""

    name: str
    kind: PrincipalKind
    roles: list[Role] = Field(default_factory=list, description="agent for agents and system for services where empty.")
    on_behalf_of: list[str] = Field(default_factory=list, description="User ids or e-mail addresses; * for everyone.")
    allowed_ips: list[str] = Field(default_factory=list)
    expires_at: UtcDatetime | None = Field(default=None)


class Tenant(Model, pb=pb.Tenant):
    """A customer of the installation; nothing crosses from one to another."""

    tenant_id: str = Field(description="UUID.")
    slug: str = Field(description="Lower-case letters, digits and hyphens; unique in the installation.")
    name: str
    status: TenantStatus
    created_at: UtcDatetime
    version: Int64


class User(Model, pb=pb.User):
    """A person."""

    user_id: str = Field(description="user_ and 32 hexadecimal digits.")
    tenant_id: str
    email: str = Field(description="Unique in the tenant, compared without case.")
    name: str
    roles: list[Role] = Field(default_factory=list)
    groups: list[str] = Field(default_factory=list, description="Group ids.")
    status: UserStatus
    locale: str | None = Field(default=None, description="BCP 47, such as de.")
    time_zone: str | None = Field(default=None, description="IANA name, such as Europe/Berlin.")
    created_at: UtcDatetime
    version: Int64
    skills: list[str] = Field(
        default_factory=list, description="What the person is good at, as the tags of tasks name it."
    )
    max_open_tasks: Int32 | None = Field(
        default=None,
        description="How many live tasks the person has before groups pass them over; as the group says where absent.",
    )


class Group(Model, pb=pb.Group):
    """People who share work."""

    group_id: str = Field(
        description="Lower-case letters, digits and hyphens, such as support-l1; chosen at creation and never changed."
    )
    tenant_id: str
    name: str
    members: list[str] = Field(default_factory=list, description="User ids.")
    created_at: UtcDatetime
    version: Int64
    strategy: GroupStrategy | None = Field(default=None, description="pull where absent.")
    max_open_tasks: Int32 | None = Field(
        default=None,
        description="How many live tasks a member has before the group passes them over; without limit where absent.",
    )
    skills: list[str] = Field(
        default_factory=list,
        description="Tags that are skills here: members without one that a task is tagged with are passed over.",
    )


class CreateGroupRequest(Model, pb=pb.CreateGroupRequest):
    """A group to create."""

    group_id: str
    name: str | None = Field(default=None, description="group_id where absent.")
    members: list[str] = Field(default_factory=list, description="User ids or e-mail addresses.")
    strategy: GroupStrategy | None = Field(default=None, description="pull where absent.")
    max_open_tasks: Int32 | None = Field(default=None, description="1..1000; without limit where absent.")
    skills: list[str] = Field(default_factory=list, description="At most 50, each of 1..200 characters.")


class UpdateGroupRequest(Model, pb=pb.UpdateGroupRequest):
    """What changes about a group; what is absent stays."""

    group_id: str
    name: str | None = Field(default=None)
    strategy: GroupStrategy | None = Field(default=None)
    max_open_tasks: Int32 | None = Field(default=None, description="1..1000; 0 for without limit.")
    add_skills: list[str] = Field(default_factory=list, description="At most 50 in all, each of 1..200 characters.")
    remove_skills: list[str] = Field(default_factory=list)
    version: Int64 | None = Field(
        default=None, description="The version that the caller saw; refused where the group has another."
    )


class MailLink(Model, pb=pb.MailLink):
    """A link that a person is mailed, without what makes it work."""

    link_id: str = Field(description="link_ and 32 hexadecimal digits.")
    tenant_id: str
    user_id: str
    purpose: MailLinkPurpose
    created_at: UtcDatetime
    expires_at: UtcDatetime


class SignInMethods(Model, pb=pb.SignInMethods):
    """How people sign in."""

    password: bool = Field(description="Whether e-mail and password are accepted.")
    providers: list[SignInProvider] = Field(default_factory=list)
    by_tenant: bool = Field(
        description="Whether a tenant may have providers of its own, which are told for its slug alone."
    )


class ListLinkedSubjectsResponse(Model, pb=pb.ListLinkedSubjectsResponse):
    """A page of linked subjects."""

    linked_subjects: list[LinkedSubject] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class ListDeletedTenantsResponse(Model, pb=pb.ListDeletedTenantsResponse):
    """A page of deletions."""

    deleted_tenants: list[DeletedTenant] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class ListAuditResponse(Model, pb=pb.ListAuditResponse):
    """A page of the audit."""

    entries: list[AuditEntry] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class CheckSessionsResponse(Model, pb=pb.CheckSessionsResponse):
    """How the sessions stand."""

    sessions: list[SessionState] = Field(
        default_factory=list, description="One for each token, in the order in which they were given."
    )


class CreateTenantRequest(Model, pb=pb.CreateTenantRequest):
    """A tenant to create, with its first admin where one is given."""

    slug: str
    name: str
    admin: CreateUserRequest | None = Field(default=None)


class CreatedApiKey(Model, pb=pb.CreatedApiKey):
    """A new key with its secret."""

    api_key: ApiKey
    secret: str = Field(
        description="The whole key, shown once: ork_<8 characters>_<secret>. Empty where a repeated request gets its answer again: no secret is kept. Revoke a key whose secret was lost."
    )


class ListApiKeysResponse(Model, pb=pb.ListApiKeysResponse):
    """A page of keys."""

    api_keys: list[ApiKey] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class ListTenantsResponse(Model, pb=pb.ListTenantsResponse):
    """A page of tenants."""

    tenants: list[Tenant] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class Session(Model, pb=pb.Session):
    """A person's session."""

    token: str = Field(description="Bearer token, shown once.")
    expires_at: UtcDatetime
    user: User


class Me(Model, pb=pb.Me):
    """The caller."""

    subject: str
    kind: PrincipalKind
    tenant_id: str | None = Field(default=None)
    roles: list[Role] = Field(default_factory=list)
    groups: list[str] = Field(default_factory=list)
    name: str | None = Field(default=None)
    user: User | None = Field(default=None, description="Where the caller is a person.")


class ListUsersResponse(Model, pb=pb.ListUsersResponse):
    """A page of people."""

    users: list[User] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class ListGroupsResponse(Model, pb=pb.ListGroupsResponse):
    """A page of groups."""

    groups: list[Group] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class MailLinkToken(Model, pb=pb.MailLinkToken):
    """What belongs into the mail of a link."""

    link: MailLink
    token: str = Field(description="What the link carries; it sets the person's password.")
    user: User


class IdentityServiceServer(Protocol):
    """Who is who: tenants, people, groups and keys."""

    async def exchange_credential(self, ctx: Context, request: ExchangeCredentialRequest) -> AccessToken:
        """Exchanges an API key, a session token, an installation key or an outside issuer's access token for a token
        that the services accept for 30 seconds.
        """
        ...

    async def get_signing_keys(self, ctx: Context, request: GetSigningKeysRequest) -> SigningKeys:
        """Returns the public keys that tokens are signed with, as a JWK set (RFC 7517)."""
        ...

    async def sign_in(self, ctx: Context, request: SignInRequest) -> Session:
        """Opens a session for a person with e-mail and password."""
        ...

    async def list_sign_in_methods(self, ctx: Context, request: ListSignInMethodsRequest) -> SignInMethods:
        """Says how people sign in: whether by password, and at which providers."""
        ...

    async def begin_sign_in(self, ctx: Context, request: BeginSignInRequest) -> SignInAttempt:
        """Begins a sign-in at a provider (OpenID Connect, authorization code with PKCE); the browser goes to the
        address in the answer.
        """
        ...

    async def complete_sign_in(self, ctx: Context, request: CompleteSignInRequest) -> Session:
        """Opens a session for the person whom the provider has sent back."""
        ...

    async def link_subject(self, ctx: Context, request: LinkSubjectRequest) -> LinkedSubject:
        """Says which person, or which API key, a subject of an outside issuer is. For admins."""
        ...

    async def list_linked_subjects(
        self, ctx: Context, request: ListLinkedSubjectsRequest
    ) -> ListLinkedSubjectsResponse:
        """Returns a page of the tenant's linked subjects. For admins and auditors."""
        ...

    async def unlink_subject(self, ctx: Context, request: UnlinkSubjectRequest) -> LinkedSubject:
        """Forgets who a subject is; tokens of it are refused within 2 seconds, and a person's sessions end. For
        admins.
        """
        ...

    async def check_sessions(self, ctx: Context, request: CheckSessionsRequest) -> CheckSessionsResponse:
        """Says of each session whether it is still good, and whose it is: for a door that keeps many pages open."""
        ...

    async def sign_out(self, ctx: Context, request: SignOutRequest) -> SignOutResponse:
        """Ends the caller's session."""
        ...

    async def get_me(self, ctx: Context, request: GetMeRequest) -> Me:
        """Says who the caller is."""
        ...

    async def update_me(self, ctx: Context, request: UpdateMeRequest) -> Me:
        """Changes what the caller is called, and its language and time zone: what is given, and nothing else. For
        people.
        """
        ...

    async def create_tenant(self, ctx: Context, request: CreateTenantRequest) -> Tenant:
        """Creates a tenant. For operators."""
        ...

    async def list_tenants(self, ctx: Context, request: ListTenantsRequest) -> ListTenantsResponse:
        """Returns the tenants that the caller may see: all for operators, the own one for others."""
        ...

    async def get_tenant(self, ctx: Context, request: GetTenantRequest) -> Tenant:
        """Returns one tenant: any for operators, the own one for others."""
        ...

    async def update_tenant(self, ctx: Context, request: UpdateTenantRequest) -> Tenant:
        """Changes what a tenant is called; its slug stays. For operators."""
        ...

    async def suspend_tenant(self, ctx: Context, request: SuspendTenantRequest) -> Tenant:
        """Suspends a tenant: its people and keys are refused everywhere within 2 seconds. For operators."""
        ...

    async def resume_tenant(self, ctx: Context, request: ResumeTenantRequest) -> Tenant:
        """Lets the people and keys of a suspended tenant in again. For operators."""
        ...

    async def delete_tenant(self, ctx: Context, request: DeleteTenantRequest) -> DeletedTenant:
        """Deletes a suspended tenant with everything of theirs in every service; there is no way back. For
        operators.
        """
        ...

    async def list_deleted_tenants(
        self, ctx: Context, request: ListDeletedTenantsRequest
    ) -> ListDeletedTenantsResponse:
        """Returns a page of the tenants that were deleted, newest first: all that is kept of them. For operators."""
        ...

    async def create_user(self, ctx: Context, request: CreateUserRequest) -> User:
        """Creates a person. For admins."""
        ...

    async def erase_user(self, ctx: Context, request: EraseUserRequest) -> EraseUserResponse:
        """Erases who a disabled person is: what stays is their id. For the installation's own service."""
        ...

    async def republish_people(self, ctx: Context, request: RepublishPeopleRequest) -> RepublishPeopleResponse:
        """Tells every service once more who the tenant's people and groups are and who is away, a page at a time,
        for one whose copies may be old. For the installation's own services.
        """
        ...

    async def get_user(self, ctx: Context, request: GetUserRequest) -> User:
        """Returns one person, by id or e-mail address."""
        ...

    async def list_users(self, ctx: Context, request: ListUsersRequest) -> ListUsersResponse:
        """Returns a page of the tenant's people, by e-mail address."""
        ...

    async def update_user(self, ctx: Context, request: UpdateUserRequest) -> User:
        """Changes a person: what is given, and nothing else. For admins."""
        ...

    async def disable_user(self, ctx: Context, request: DisableUserRequest) -> User:
        """Disables a person, whose sessions and mail links end with it. For admins."""
        ...

    async def enable_user(self, ctx: Context, request: EnableUserRequest) -> User:
        """Lets a disabled person sign in again. For admins."""
        ...

    async def change_password(self, ctx: Context, request: ChangePasswordRequest) -> ChangePasswordResponse:
        """Changes the caller's own password and ends the caller's other sessions."""
        ...

    async def invite_user(self, ctx: Context, request: InviteUserRequest) -> MailLink:
        """Has a person mailed a link by which they choose their first password. For admins."""
        ...

    async def request_password_reset(
        self, ctx: Context, request: RequestPasswordResetRequest
    ) -> RequestPasswordResetResponse:
        """Has a person mailed a link to choose a new password by. Never tells who is known here."""
        ...

    async def redeem_mail_link(self, ctx: Context, request: RedeemMailLinkRequest) -> RedeemMailLinkResponse:
        """Sets the password of whom the link was mailed to; it works once, and all their sessions end."""
        ...

    async def get_mail_link_token(self, ctx: Context, request: GetMailLinkTokenRequest) -> MailLinkToken:
        """Returns what belongs into the mail of a link. For the installation's own service key."""
        ...

    async def set_substitution(self, ctx: Context, request: SetSubstitutionRequest) -> Substitution:
        """Says when a person is out of office and who takes their place; without a substitute nobody does any more.
        People say it of themselves, managers and admins of anybody.
        """
        ...

    async def get_substitution(self, ctx: Context, request: GetSubstitutionRequest) -> Substitution:
        """Returns who takes a person's place, and when; version 0 where it was never said."""
        ...

    async def create_group(self, ctx: Context, request: CreateGroupRequest) -> Group:
        """Creates a group. For admins."""
        ...

    async def update_group(self, ctx: Context, request: UpdateGroupRequest) -> Group:
        """Changes a group: what is given, and nothing else. For admins."""
        ...

    async def get_group(self, ctx: Context, request: GetGroupRequest) -> Group:
        """Returns one group with its members."""
        ...

    async def list_groups(self, ctx: Context, request: ListGroupsRequest) -> ListGroupsResponse:
        """Returns a page of the tenant's groups with their members."""
        ...

    async def delete_group(self, ctx: Context, request: DeleteGroupRequest) -> Group:
        """Deletes a group: its members leave it, and no task is offered to it any more; its id may be used again.
        For admins.
        """
        ...

    async def add_member(self, ctx: Context, request: AddMemberRequest) -> Group:
        """Puts a person into a group. For admins."""
        ...

    async def remove_member(self, ctx: Context, request: RemoveMemberRequest) -> Group:
        """Takes a person out of a group. For admins."""
        ...

    async def create_api_key(self, ctx: Context, request: CreateApiKeyRequest) -> CreatedApiKey:
        """Creates an API key; its secret is in this answer and nowhere else. For admins."""
        ...

    async def list_api_keys(self, ctx: Context, request: ListApiKeysRequest) -> ListApiKeysResponse:
        """Returns a page of the tenant's API keys, newest first, without secrets."""
        ...

    async def update_api_key(self, ctx: Context, request: UpdateApiKeyRequest) -> ApiKey:
        """Changes an API key: what is given, and nothing else; its kind and its secret stay. For admins."""
        ...

    async def revoke_api_key(self, ctx: Context, request: RevokeApiKeyRequest) -> ApiKey:
        """Revokes an API key; it is refused everywhere within 2 seconds. For admins."""
        ...

    async def get_api_key(self, ctx: Context, request: GetApiKeyRequest) -> ApiKey:
        """Returns one API key, without its secret."""
        ...

    async def rotate_api_key(self, ctx: Context, request: RotateApiKeyRequest) -> CreatedApiKey:
        """Gives an API key a new secret; the one before is accepted a while longer. For admins."""
        ...

    async def list_audit(self, ctx: Context, request: ListAuditRequest) -> ListAuditResponse:
        """Returns a page of what was administered in the tenant, newest first. For admins and auditors."""
        ...


def add_identity_service(server: Server, operations: IdentityServiceServer, authenticate: Authenticate) -> None:
    """Serve the rpcs of IdentityService with `operations`."""
    bind(server, pb.DESCRIPTOR.services_by_name["IdentityService"], operations, authenticate)


class IdentityServiceClient(RpcClient, service="orkestra.v1.IdentityService"):
    """Who is who: tenants, people, groups and keys."""

    async def exchange_credential(
        self, request: ExchangeCredentialRequest, request_id: str | None = None, timeout: float | None = None
    ) -> AccessToken:
        """Exchanges an API key, a session token, an installation key or an outside issuer's access token for a token
        that the services accept for 30 seconds.
        """
        return await self._call(
            "ExchangeCredential", request, AccessToken, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_signing_keys(
        self, request: GetSigningKeysRequest, request_id: str | None = None, timeout: float | None = None
    ) -> SigningKeys:
        """Returns the public keys that tokens are signed with, as a JWK set (RFC 7517)."""
        return await self._call(
            "GetSigningKeys", request, SigningKeys, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def sign_in(
        self, request: SignInRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Session:
        """Opens a session for a person with e-mail and password."""
        return await self._call("SignIn", request, Session, request_id=request_id, timeout=timeout, idempotent=False)

    async def list_sign_in_methods(
        self, request: ListSignInMethodsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> SignInMethods:
        """Says how people sign in: whether by password, and at which providers."""
        return await self._call(
            "ListSignInMethods", request, SignInMethods, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def begin_sign_in(
        self, request: BeginSignInRequest, request_id: str | None = None, timeout: float | None = None
    ) -> SignInAttempt:
        """Begins a sign-in at a provider (OpenID Connect, authorization code with PKCE); the browser goes to the
        address in the answer.
        """
        return await self._call(
            "BeginSignIn", request, SignInAttempt, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def complete_sign_in(
        self, request: CompleteSignInRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Session:
        """Opens a session for the person whom the provider has sent back."""
        return await self._call(
            "CompleteSignIn", request, Session, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def link_subject(
        self, request: LinkSubjectRequest, request_id: str | None = None, timeout: float | None = None
    ) -> LinkedSubject:
        """Says which person, or which API key, a subject of an outside issuer is. For admins."""
        return await self._call(
            "LinkSubject", request, LinkedSubject, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def list_linked_subjects(
        self, request: ListLinkedSubjectsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListLinkedSubjectsResponse:
        """Returns a page of the tenant's linked subjects. For admins and auditors."""
        return await self._call(
            "ListLinkedSubjects",
            request,
            ListLinkedSubjectsResponse,
            request_id=request_id,
            timeout=timeout,
            idempotent=True,
        )

    async def unlink_subject(
        self, request: UnlinkSubjectRequest, request_id: str | None = None, timeout: float | None = None
    ) -> LinkedSubject:
        """Forgets who a subject is; tokens of it are refused within 2 seconds, and a person's sessions end. For
        admins.
        """
        return await self._call(
            "UnlinkSubject", request, LinkedSubject, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def check_sessions(
        self, request: CheckSessionsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> CheckSessionsResponse:
        """Says of each session whether it is still good, and whose it is: for a door that keeps many pages open."""
        return await self._call(
            "CheckSessions", request, CheckSessionsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def sign_out(
        self, request: SignOutRequest, request_id: str | None = None, timeout: float | None = None
    ) -> SignOutResponse:
        """Ends the caller's session."""
        return await self._call(
            "SignOut", request, SignOutResponse, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_me(self, request: GetMeRequest, request_id: str | None = None, timeout: float | None = None) -> Me:
        """Says who the caller is."""
        return await self._call("GetMe", request, Me, request_id=request_id, timeout=timeout, idempotent=True)

    async def update_me(
        self, request: UpdateMeRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Me:
        """Changes what the caller is called, and its language and time zone: what is given, and nothing else. For
        people.
        """
        return await self._call("UpdateMe", request, Me, request_id=request_id, timeout=timeout, idempotent=False)

    async def create_tenant(
        self, request: CreateTenantRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Tenant:
        """Creates a tenant. For operators."""
        return await self._call(
            "CreateTenant", request, Tenant, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def list_tenants(
        self, request: ListTenantsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListTenantsResponse:
        """Returns the tenants that the caller may see: all for operators, the own one for others."""
        return await self._call(
            "ListTenants", request, ListTenantsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_tenant(
        self, request: GetTenantRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Tenant:
        """Returns one tenant: any for operators, the own one for others."""
        return await self._call("GetTenant", request, Tenant, request_id=request_id, timeout=timeout, idempotent=True)

    async def update_tenant(
        self, request: UpdateTenantRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Tenant:
        """Changes what a tenant is called; its slug stays. For operators."""
        return await self._call(
            "UpdateTenant", request, Tenant, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def suspend_tenant(
        self, request: SuspendTenantRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Tenant:
        """Suspends a tenant: its people and keys are refused everywhere within 2 seconds. For operators."""
        return await self._call(
            "SuspendTenant", request, Tenant, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def resume_tenant(
        self, request: ResumeTenantRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Tenant:
        """Lets the people and keys of a suspended tenant in again. For operators."""
        return await self._call(
            "ResumeTenant", request, Tenant, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def delete_tenant(
        self, request: DeleteTenantRequest, request_id: str | None = None, timeout: float | None = None
    ) -> DeletedTenant:
        """Deletes a suspended tenant with everything of theirs in every service; there is no way back. For
        operators.
        """
        return await self._call(
            "DeleteTenant", request, DeletedTenant, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def list_deleted_tenants(
        self, request: ListDeletedTenantsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListDeletedTenantsResponse:
        """Returns a page of the tenants that were deleted, newest first: all that is kept of them. For operators."""
        return await self._call(
            "ListDeletedTenants",
            request,
            ListDeletedTenantsResponse,
            request_id=request_id,
            timeout=timeout,
            idempotent=True,
        )

    async def create_user(
        self, request: CreateUserRequest, request_id: str | None = None, timeout: float | None = None
    ) -> User:
        """Creates a person. For admins."""
        return await self._call("CreateUser", request, User, request_id=request_id, timeout=timeout, idempotent=False)

    async def erase_user(
        self, request: EraseUserRequest, request_id: str | None = None, timeout: float | None = None
    ) -> EraseUserResponse:
        """Erases who a disabled person is: what stays is their id. For the installation's own service."""
        return await self._call(
            "EraseUser", request, EraseUserResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def republish_people(
        self, request: RepublishPeopleRequest, request_id: str | None = None, timeout: float | None = None
    ) -> RepublishPeopleResponse:
        """Tells every service once more who the tenant's people and groups are and who is away, a page at a time,
        for one whose copies may be old. For the installation's own services.
        """
        return await self._call(
            "RepublishPeople", request, RepublishPeopleResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_user(
        self, request: GetUserRequest, request_id: str | None = None, timeout: float | None = None
    ) -> User:
        """Returns one person, by id or e-mail address."""
        return await self._call("GetUser", request, User, request_id=request_id, timeout=timeout, idempotent=True)

    async def list_users(
        self, request: ListUsersRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListUsersResponse:
        """Returns a page of the tenant's people, by e-mail address."""
        return await self._call(
            "ListUsers", request, ListUsersResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def update_user(
        self, request: UpdateUserRequest, request_id: str | None = None, timeout: float | None = None
    ) -> User:
        """Changes a person: what is given, and nothing else. For admins."""
        return await self._call("UpdateUser", request, User, request_id=request_id, timeout=timeout, idempotent=False)

    async def disable_user(
        self, request: DisableUserRequest, request_id: str | None = None, timeout: float | None = None
    ) -> User:
        """Disables a person, whose sessions and mail links end with it. For admins."""
        return await self._call("DisableUser", request, User, request_id=request_id, timeout=timeout, idempotent=True)

    async def enable_user(
        self, request: EnableUserRequest, request_id: str | None = None, timeout: float | None = None
    ) -> User:
        """Lets a disabled person sign in again. For admins."""
        return await self._call("EnableUser", request, User, request_id=request_id, timeout=timeout, idempotent=True)

    async def change_password(
        self, request: ChangePasswordRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ChangePasswordResponse:
        """Changes the caller's own password and ends the caller's other sessions."""
        return await self._call(
            "ChangePassword", request, ChangePasswordResponse, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def invite_user(
        self, request: InviteUserRequest, request_id: str | None = None, timeout: float | None = None
    ) -> MailLink:
        """Has a person mailed a link by which they choose their first password. For admins."""
        return await self._call(
            "InviteUser", request, MailLink, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def request_password_reset(
        self, request: RequestPasswordResetRequest, request_id: str | None = None, timeout: float | None = None
    ) -> RequestPasswordResetResponse:
        """Has a person mailed a link to choose a new password by. Never tells who is known here."""
        return await self._call(
            "RequestPasswordReset",
            request,
            RequestPasswordResetResponse,
            request_id=request_id,
            timeout=timeout,
            idempotent=False,
        )

    async def redeem_mail_link(
        self, request: RedeemMailLinkRequest, request_id: str | None = None, timeout: float | None = None
    ) -> RedeemMailLinkResponse:
        """Sets the password of whom the link was mailed to; it works once, and all their sessions end."""
        return await self._call(
            "RedeemMailLink", request, RedeemMailLinkResponse, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_mail_link_token(
        self, request: GetMailLinkTokenRequest, request_id: str | None = None, timeout: float | None = None
    ) -> MailLinkToken:
        """Returns what belongs into the mail of a link. For the installation's own service key."""
        return await self._call(
            "GetMailLinkToken", request, MailLinkToken, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def set_substitution(
        self, request: SetSubstitutionRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Substitution:
        """Says when a person is out of office and who takes their place; without a substitute nobody does any more.
        People say it of themselves, managers and admins of anybody.
        """
        return await self._call(
            "SetSubstitution", request, Substitution, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_substitution(
        self, request: GetSubstitutionRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Substitution:
        """Returns who takes a person's place, and when; version 0 where it was never said."""
        return await self._call(
            "GetSubstitution", request, Substitution, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def create_group(
        self, request: CreateGroupRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Group:
        """Creates a group. For admins."""
        return await self._call("CreateGroup", request, Group, request_id=request_id, timeout=timeout, idempotent=False)

    async def update_group(
        self, request: UpdateGroupRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Group:
        """Changes a group: what is given, and nothing else. For admins."""
        return await self._call("UpdateGroup", request, Group, request_id=request_id, timeout=timeout, idempotent=False)

    async def get_group(
        self, request: GetGroupRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Group:
        """Returns one group with its members."""
        return await self._call("GetGroup", request, Group, request_id=request_id, timeout=timeout, idempotent=True)

    async def list_groups(
        self, request: ListGroupsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListGroupsResponse:
        """Returns a page of the tenant's groups with their members."""
        return await self._call(
            "ListGroups", request, ListGroupsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def delete_group(
        self, request: DeleteGroupRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Group:
        """Deletes a group: its members leave it, and no task is offered to it any more; its id may be used again.
        For admins.
        """
        return await self._call("DeleteGroup", request, Group, request_id=request_id, timeout=timeout, idempotent=False)

    async def add_member(
        self, request: AddMemberRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Group:
        """Puts a person into a group. For admins."""
        return await self._call("AddMember", request, Group, request_id=request_id, timeout=timeout, idempotent=True)

    async def remove_member(
        self, request: RemoveMemberRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Group:
        """Takes a person out of a group. For admins."""
        return await self._call("RemoveMember", request, Group, request_id=request_id, timeout=timeout, idempotent=True)

    async def create_api_key(
        self, request: CreateApiKeyRequest, request_id: str | None = None, timeout: float | None = None
    ) -> CreatedApiKey:
        """Creates an API key; its secret is in this answer and nowhere else. For admins."""
        return await self._call(
            "CreateApiKey", request, CreatedApiKey, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def list_api_keys(
        self, request: ListApiKeysRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListApiKeysResponse:
        """Returns a page of the tenant's API keys, newest first, without secrets."""
        return await self._call(
            "ListApiKeys", request, ListApiKeysResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def update_api_key(
        self, request: UpdateApiKeyRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ApiKey:
        """Changes an API key: what is given, and nothing else; its kind and its secret stay. For admins."""
        return await self._call(
            "UpdateApiKey", request, ApiKey, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def revoke_api_key(
        self, request: RevokeApiKeyRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ApiKey:
        """Revokes an API key; it is refused everywhere within 2 seconds. For admins."""
        return await self._call(
            "RevokeApiKey", request, ApiKey, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_api_key(
        self, request: GetApiKeyRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ApiKey:
        """Returns one API key, without its secret."""
        return await self._call("GetApiKey", request, ApiKey, request_id=request_id, timeout=timeout, idempotent=True)

    async def rotate_api_key(
        self, request: RotateApiKeyRequest, request_id: str | None = None, timeout: float | None = None
    ) -> CreatedApiKey:
        """Gives an API key a new secret; the one before is accepted a while longer. For admins."""
        return await self._call(
            "RotateApiKey", request, CreatedApiKey, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def list_audit(
        self, request: ListAuditRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListAuditResponse:
        """Returns a page of what was administered in the tenant, newest first. For admins and auditors."""
        return await self._call(
            "ListAudit", request, ListAuditResponse, request_id=request_id, timeout=timeout, idempotent=True
        )
