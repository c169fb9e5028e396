"""What an upgrade of the chart has to leave as it is, read from renders."""

from collections.abc import Iterable
from typing import Any

from deploy_chart import Manifest

FIXED = {
    "Deployment": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"),
    "Service": ("spec.clusterIP", "spec.type"),
    "Job": ("spec.template", "spec.selector"),
    "PersistentVolumeClaim": ("spec",),
    "Secret": ("type", "immutable"),
    "ConfigMap": ("immutable",),
}
"""Fields that an API server refuses to change, by kind."""


def is_hook(manifest: Manifest) -> bool:
    return "helm.sh/hook" in manifest["metadata"].get("annotations", {})


def kept(manifests: Iterable[Manifest]) -> dict[str, dict[str, Any]]:
    """What stands in the cluster after an installation, by kind and name, with the fields that cannot be changed."""
    return {
        f"{one['kind']} {one['metadata']['name']}": {
            path: found for path in FIXED.get(one["kind"], ()) if (found := _at(one, path)) is not None
        }
        for one in manifests
        if not is_hook(one)
    }


def changes(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> list[str]:
    """Sentences about what an API server would refuse, or Helm would delete, of what stands in the cluster.

    Jobs run once under a name of their own: they may go, and a new one may not have an old one's name.
    """
    found = []
    for name, fields in before.items():
        if name not in after:
            if not name.startswith("Job "):
                found.append(f"{name} would be deleted")
            continue
        found += [f"{name}: {path} cannot be changed" for path in fields if after[name].get(path) != fields[path]]
        found += [f"{name}: {path} cannot be set" for path in after[name] if path not in fields]
    return found


def _at(manifest: Manifest, path: str) -> Any:
    found: Any = manifest
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
