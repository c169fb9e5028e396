"""Installs programs that tests talk to, each into an environment of its own in .venv/clients.

They are MCP clients, those of docs/guides/connect-an-agent.md among them, and an OpenID Connect provider.
"""

import os
import subprocess
import sys
from pathlib import Path

CLIENTS = {
    "langgraph": ("langchain-mcp-adapters==0.3.2",),
    "openai-agents": ("openai-agents==0.24.0",),
    "fastmcp": ("fastmcp==4.1.2", "fastmcp-tasks==4.1.2"),
    "canaille": ("canaille[oidc,server]==0.3.6",),
}

PACKAGES = {
    "typescript": "@modelcontextprotocol/sdk@1.32.2",
    "typescript-2": "@modelcontextprotocol/client@2.4.0",
}
"""Of npm; no script of a package runs."""


def main() -> None:
    for name, package in PACKAGES.items():
        install_package(name, package)
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


def install_package(name: str, package: str) -> None:
    """Install what node runs."""
    home = Path(sys.prefix) / "clients" / name
    mark = home / "complete"
    if mark.exists() and mark.read_text("utf-8") == package:
        return
    print(f"Installing {package} …")
    home.mkdir(parents=True, exist_ok=True)
    with_node = os.environ | {"PATH": f"{os.environ['PATH']}{os.pathsep}{Path(sys.prefix) / 'bin'}"}
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "install", "--prefix", home, *options, package], check=True, env=with_node)
    mark.write_text(package, "utf-8")


if __name__ == "__main__":
    main()
