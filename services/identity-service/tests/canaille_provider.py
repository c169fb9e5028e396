"""Serves Canaille, an OpenID Connect provider that asks for PKCE, with one person and one client; runs in its own venv.

Arguments: the port, and the address that the client's people are sent back to.
"""

import sys
from datetime import UTC, datetime

from canaille import create_app  # type: ignore[import-not-found]  # installed beside, see tools/install_clients.py
from canaille.app import models  # type: ignore[import-not-found]
from canaille.backends import Backend  # type: ignore[import-not-found]
from werkzeug.serving import run_simple

PORT, BACK = int(sys.argv[1]), sys.argv[2]
CONFIG = {
    "SECRET_KEY": "a secret of this test provider alone",
    "SERVER_NAME": f"127.0.0.1:{PORT}",
    "PREFERRED_URL_SCHEME": "http",
    "CANAILLE": {"DATABASE": "memory", "JAVASCRIPT": False, "SMTP": None},
    "CANAILLE_OIDC": {},
}

app = create_app(config=CONFIG)
with app.app_context():
    ann = models.User(
        user_name="ann",
        formatted_name="Ann",
        family_name="A",
        emails=["ann@acme.example"],
        password="ann's own password",
    )
    Backend.instance.save(ann)
    Backend.instance.save(models.Group(display_name="support-l1", members=[ann]))
    api = models.Client(client_id="orkestra-api", client_name="API", client_id_issued_at=datetime.now(UTC))
    Backend.instance.save(api)
    client = models.Client(
        client_id="orkestra",
        client_secret="a secret of this test client",
        client_name="Orkestra",
        client_uri="http://127.0.0.1",
        client_id_issued_at=datetime.now(UTC),
        redirect_uris=[BACK],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "email", "profile", "groups"],
        token_endpoint_auth_method="client_secret_basic",
    )
    Backend.instance.save(client)
    client.audience = [client, api]
    Backend.instance.save(client)
run_simple("127.0.0.1", PORT, app, threaded=True)
