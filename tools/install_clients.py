"""Installs programs that tests talk to, each into an environment of its own in .venv/clients.

They are the MCP clients of docs/guides/connect-an-agent.md, and an OpenID Connect provider.
"""

import subprocess
import sys
from pathlib import Path

CLIENTS = {
    "langgraph": ("langchain-mcp-adapters==0.3.2",),
    "openai-agents": ("openai-agents==0.24.0",),
    "fastmcp": ("fastmcp==4.1.2", "fastmcp-tasks==4.1.2"),
    "canaille": ("canaille[oidc,server]==0.3.6",),
}


def main() -> None:
    for name, needs in CLIENTS.items():
        home = Path(sys.prefix) / "clients" / name
        mark = home / "complete"
        if mark.exists() and mark.read_text("utf-8") == " ".join(needs):
            continue
        print(f"Installing {', '.join(needs)} …")
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, home], check=True)
        subprocess.run([uv, "pip", "install", "-q", "-p", home / "bin" / "python", *needs], check=True)
        mark.write_text(" ".join(needs), "utf-8")


if __name__ == "__main__":
    main()
