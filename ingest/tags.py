"""
Vendors' tags, dimensions and template variables as an alert's labels, under the names that resolution and answers read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ingest.contract import Body
from ingest.errors import BadRecord
from ingest.fields import named, text

_COMMON: Mapping[str, tuple[str, ...]] = {
    "service": ("service.name", "service_name", "servicename"),
    "environment": ("env", "deployment.environment", "deployment.environment.name", "deployment_environment"),
    "region": ("cloud.region", "aws_region", "awsregion", "aws.region"),
    "host": ("hostname", "host.name", "host_name", "server_name"),
    "team": ("team_name", "team.name"),
    "namespace": ("kube_namespace", "k8s.namespace.name", "namespace_name"),
    "cluster": ("kube_cluster_name", "k8s.cluster.name", "cluster_name", "clustername"),
    "pod": ("pod_name", "k8s.pod.name"),
    "container": ("kube_container_name", "container_name", "k8s.container.name"),
    "deployment": ("kube_deployment", "k8s.deployment.name"),
    "statefulset": ("kube_stateful_set", "k8s.statefulset.name"),
    "daemonset": ("kube_daemon_set", "k8s.daemonset.name"),
}
_NAME_OF = {given: name for name, names in _COMMON.items() for given in (name, *names)}
_UNFILLED = re.compile(r"\$[A-Z][A-Z_]+(\[.*\])?|\$[A-Z_]+\$|\{[A-Za-z$][\w.$:]*\}|\{\{.*\}\}|\*UNKNOWN\*", re.DOTALL)
TEMPLATE = "template"
"""The field of our own webhook templates that names them and their version."""


def filled(value: object) -> str | None:
    """
    A text or number; None for what is none, and for a template's variable that the sender did not fill.
    """
    found = text(value)
    return None if found is None or _UNFILLED.fullmatch(found) else found


def first_filled(body: Body, *names: str) -> str | None:
    """
    The first of a body's fields that is filled.
    """
    return next((found for name in names if (found := filled(body.get(name))) is not None), None)


def common(name: str) -> str:
    """
    The name under which a vendor's tag is a label: the common one where it has one, else its own.
    """
    return _NAME_OF.get(name.strip().lower(), name.strip())


def labelled(*given: object) -> dict[str, str]:
    """
    One set of labels of several sources: objects, lists of `key:value`, of pairs or of objects with key and value, or
    one text of them separated by commas. What comes first counts. Tags without a value are joined under `tags`.
    """
    found: dict[str, str] = {}
    for source in given:
        for key, value in _pairs(source):
            name, known = common(key), named(filled(value))
            if not name or known is None:
                continue
            if name not in found:
                found[name] = known
            elif name == "tags" and known not in found[name].split(","):
                found[name] += f",{known}"
    return found


def _pairs(source: object) -> Iterator[tuple[str, object]]:
    if isinstance(source, str):
        source = source.split(",")
    if isinstance(source, dict):
        for key, value in source.items():
            yield str(key), _scalar(value)
    elif isinstance(source, list):
        for one in source:
            yield from _pair(one)


def _pair(one: object) -> Iterator[tuple[str, object]]:
    if isinstance(one, str):
        name, sign, rest = one.strip().partition(":") if ":" in one else one.strip().partition("=")
        yield (name.strip(), rest.strip()) if sign else ("tags", name.strip())
    elif isinstance(one, list) and len(one) == 2:
        yield str(one[0]), _scalar(one[1])
    elif isinstance(one, dict):
        label = next((str(one[name]) for name in ("key", "name", "tag", "Key", "Name") if text(one.get(name))), "")
        value = next((one[name] for name in ("value", "Value") if one.get(name) is not None), None)
        scalar = _scalar(value)
        if label:
            yield (label, scalar) if text(scalar) else ("tags", label)


def _scalar(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(each for one in value if (each := text(one))) or None
    if isinstance(value, dict):
        return next((one for name, one in value.items() if str(name).endswith("Value")), None)
    return value


def noted(**given: object) -> dict[str, str]:
    """
    Annotations: those of the given texts that are filled.
    """
    return {name: found for name, value in given.items() if (found := filled(value)) is not None}


def ours(body: Body, *names: str) -> bool:
    """
    Whether a body is of one of our own templates, of any version.
    """
    return str(body.get(TEMPLATE) or "").startswith(tuple(f"precedent/{name}/" for name in names))


def check_version(body: Body) -> None:
    """
    BadRecord for a version of our own templates that is not known here.
    """
    version = text(body.get(TEMPLATE))
    if version and version.startswith("precedent/") and not version.endswith("/1"):
        raise BadRecord(f"the template {version!r} is not known; send that of docs/how-to/send-alerts.md")
