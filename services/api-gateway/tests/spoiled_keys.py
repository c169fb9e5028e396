"""Credentials of a running stack that are good no longer, or never were."""

from datetime import UTC, datetime, timedelta

import httpx
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

REFUSALS = {"CREDENTIAL_REQUIRED", "CREDENTIAL_UNKNOWN", "KEY_REVOKED", "KEY_EXPIRED"}


async def spoiled(stack: Stack) -> dict[str, str | None]:
    """Authorization headers by what is wrong with them; returns when the running stack refuses them all."""
    async with stack.rest(key="admin") as admin:
        revoked = await made(admin, "revoked")
        key_id = revoked["api_key"]["key_id"]  # type: ignore[index]
        (await admin.post(f"/v1/api-keys/{key_id}/revoke", json={})).raise_for_status()
        soon = datetime.now(UTC) + timedelta(seconds=1)
        expired = await made(admin, "expired", expires_at=soon.isoformat())
    headers: dict[str, str | None] = {
        "none": None,
        "another scheme": "Basic eDp5",
        "unknown": "Bearer ork_abcdefgh_nobody",
        "revoked": f"Bearer {revoked['secret']}",
        "expired": f"Bearer {expired['secret']}",
    }
    async with httpx.AsyncClient(base_url=stack.info["rest"]) as http:
        for authorization in headers.values():

            async def is_refused(given: str | None = authorization) -> bool:
                answer = await http.get("/v1/me", headers={} if given is None else {"authorization": given})
                return answer.status_code == 401

            await eventually(is_refused)
    return headers


async def made(admin: httpx.AsyncClient, name: str, **more: str) -> dict[str, object]:
    body = {"name": name, "kind": "agent", "on_behalf_of": ["*"], **more}
    created: dict[str, object] = (await admin.post("/v1/api-keys", json=body)).raise_for_status().json()
    return created
