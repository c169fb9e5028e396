"""Runs the chart's evaluation profile in Docker, without Kubernetes, and asks a person one question through it.

    .venv/bin/python tools/try_images.py --tag 0.1.0 [--repository orkestra] [--keep]

What Helm renders is run as it is: the same images, commands, variables and files, as user 10001 without a capability
on a read-only root, in one network where every Service is a name. Needs a Docker daemon (DOCKER_HOST) and Helm
(`make deploy-tools`).
"""

import argparse
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parent.parent
HELM = Path(sys.prefix) / "deploy" / "helm-4.3" / "helm"
NETWORK = "orkestra-evaluation"
LABEL = "orkestra.evaluation"
USER = "10001:10001"
HARDENED = ["--read-only", "--user", USER, "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
QUESTION = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
ANSWER = {"answer": "Yes, within 30 days.", "sentiment": "positive"}
PATIENCE = 180.0
Manifest = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--repository", default="orkestra")
    parser.add_argument("--keep", action="store_true", help="Leave the containers running.")
    arguments = parser.parse_args()
    manifests = rendered(arguments.repository, arguments.tag)
    forget()
    folder = Path(tempfile.mkdtemp(prefix="orkestra-evaluation-"))
    folder.chmod(0o755)
    docker("network", "create", NETWORK)
    try:
        install(manifests, folder)
        ask(demo_tenant(manifests))
        helm_test(manifests, folder)
        say_memory()
    finally:
        if not arguments.keep:
            forget()
            shutil.rmtree(folder)


def rendered(repository: str, tag: str) -> list[Manifest]:
    values = ["evaluation.enabled=true", f"global.image.repository={repository}", f"global.image.tag={tag}"]
    options = [word for value in values for word in ("--set", value)]
    chart = ROOT / "deploy" / "helm" / "orkestra"
    text = subprocess.run([HELM, "template", "orkestra", chart, *options], check=True, capture_output=True).stdout
    return [one for one in yaml.safe_load_all(text) if one]


def install(manifests: list[Manifest], folder: Path) -> None:
    """Start everything in the order in which a cluster would let it become ready."""
    secrets = {one["metadata"]["name"]: one["data"] for one in of_kind(manifests, "Secret")}
    for one in of_kind(manifests, "StatefulSet"):
        run(one, folder, secrets)
    for one in of_kind(manifests, "Job"):
        run(one, folder, secrets, "--restart", "on-failure:60")
    for one in of_kind(manifests, "Deployment"):
        for container in one["spec"]["template"]["spec"].get("initContainers", []):
            run(one, folder, secrets, container=container, name=f"{one['metadata']['name']}-wait")
            expect_success(f"{one['metadata']['name']}-wait")
        run(one, folder, secrets)


def run(manifest: Manifest, folder: Path, secrets: dict[str, dict[str, str]], *options: str, **other: Any) -> None:
    """Start one container of the manifest as the manifest says."""
    spec = manifest["spec"].get("template", manifest)["spec"]
    container = other.get("container") or spec["containers"][0]
    name = other.get("name") or manifest["metadata"]["name"]
    words = ["run", "--detach", "--name", name, "--network", NETWORK, "--label", LABEL, *HARDENED, *options]
    for variable in container.get("env", []):
        words += ["--env", f"{variable['name']}={variable['value']}"]
    words += ["--memory", container["resources"]["limits"]["memory"].rstrip("i").lower()]
    for mount in container["volumeMounts"]:
        words += mounted(mount, spec, folder / name, secrets)
    program, *rest = container["command"]
    docker(*words, "--entrypoint", program, container["image"], *rest)


def mounted(mount: Manifest, spec: Manifest, folder: Path, secrets: dict[str, dict[str, str]]) -> list[str]:
    """One mount: a Secret's files, or a place to write."""
    volume: Manifest = next((one for one in spec.get("volumes", []) if one["name"] == mount["name"]), {})
    sources = [one["secret"] for one in volume.get("projected", {}).get("sources", [])]
    if "secret" in volume:
        sources = [{**volume["secret"], "name": volume["secret"]["secretName"]}]
    if not sources:
        return ["--tmpfs", f"{mount['mountPath']}:uid=10001,mode=1700"]
    files = folder / mount["name"]
    files.mkdir(parents=True, exist_ok=True)
    for source in sources:
        for item in source["items"]:
            (files / item["path"]).write_bytes(base64.b64decode(secrets[source["name"]][item["key"]]))
    return ["--volume", f"{files}:{mount['mountPath']}:ro"]


def demo_tenant(manifests: list[Manifest]) -> Manifest:
    """What the demo Job shows."""
    job = next(one["metadata"]["name"] for one in of_kind(manifests, "Job") if "-demo-" in one["metadata"]["name"])
    expect_success(job)
    log = docker("logs", job)
    shown: Manifest = json.loads(log[log.index("{") :])
    return shown


def ask(demo: Manifest) -> None:
    """The whole way: a program asks, a person of the group answers, the program has the answer."""
    rest = f"http://{address('orkestra-api-gateway')}:8000"
    with httpx.Client(base_url=rest, headers=bearer(demo["api_keys"]["system"]), timeout=60) as system:
        started = wait_for(lambda: system.post("/v1/workflows", json=body()), 201)
        workflow_id = started["workflow_id"]
        member = next(user for user in demo["users"] if "support-l1" in user["groups"])
        signing = {"email": member["email"], "password": member["password"], "tenant": demo["tenant"]["slug"]}
        session = system.post("/v1/sessions", json=signing).raise_for_status().json()
        with httpx.Client(base_url=rest, headers=bearer(session["token"]), timeout=60) as person:
            listed = wait_for(lambda: person.get("/v1/tasks", params={"workflow_id": workflow_id}), 200, "tasks")
            task = f"/v1/tasks/{listed['tasks'][0]['task_id']}"
            person.post(f"{task}/claim", json={}).raise_for_status()
            person.post(f"{task}/complete", json={"data": ANSWER}).raise_for_status()
        done = system.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30}).raise_for_status().json()
    if done["status"] != "completed" or done["result"]["answer"] != ANSWER["answer"]:
        raise SystemExit(f"The question came back as {done}.")
    print(f"A question went through the images and came back answered: {done['result']}")


def helm_test(manifests: list[Manifest], folder: Path) -> None:
    """What `helm test` runs."""
    for one in of_kind(manifests, "Pod"):
        run(one, folder, {})
        expect_success(one["metadata"]["name"])
        print(docker("logs", one["metadata"]["name"]))


def wait_for(call: Any, status: int, filled: str = "status") -> Manifest:
    """Call until it answers with `status` and something in `filled`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            answer = call()
        except httpx.TransportError:
            time.sleep(0.5)
            continue
        if answer.status_code == status and answer.json().get(filled):
            told: Manifest = answer.json()
            return told
        time.sleep(0.5)
    raise SystemExit(f"No answer within {PATIENCE:g} s; the last one: {answer.status_code} {answer.text}")


def body() -> Manifest:
    return {"definition": "customer-support", "input": QUESTION}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def address(name: str) -> str:
    found = docker("inspect", "--format", f'{{{{(index .NetworkSettings.Networks "{NETWORK}").IPAddress}}}}', name)
    return found.strip()


def expect_success(name: str) -> None:
    """Wait for a container that ends; a Job's is started again until it ends well."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        state = json.loads(docker("inspect", "--format", "{{json .State}}", name))
        if state["Status"] == "exited" and state["ExitCode"] == 0:
            return
        time.sleep(0.3)
    raise SystemExit(f"{name} did not end well:\n{docker('logs', '--tail', '30', name)}")


def say_memory() -> None:
    names = docker("ps", "--filter", f"label={LABEL}", "--format", "{{.Names}}").split()
    print(docker("stats", "--no-stream", "--format", "{{.MemUsage}}  {{.Name}}", *names))


def of_kind(manifests: list[Manifest], kind: str) -> Iterator[Manifest]:
    return (one for one in manifests if one["kind"] == kind)


def forget() -> None:
    """Remove the containers and the network of this program, and no others."""
    found = docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}").split()
    if found:
        docker("rm", "--force", *found)
    subprocess.run(["docker", "network", "rm", NETWORK], check=False, capture_output=True)


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise SystemExit(f"docker {' '.join(words)}\n{done.stdout}")
    return done.stdout


if __name__ == "__main__":
    main()
