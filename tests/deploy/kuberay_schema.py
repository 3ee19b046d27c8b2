"""The fields of KubeRay's resources that we use, by its API reference; anything else is refused.

Written by hand, since no package carries KubeRay's own definitions. A pod is checked by the schema
of Kubernetes itself, in test_kubernetes.py.
"""

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
ANY: Schema = {"type": "object"}


def exactly(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    return {
        "type": "object",
        "properties": fields,
        "required": list(required),
        "additionalProperties": False,
    }


METADATA = exactly(("name", "namespace"), name=TEXT, namespace=TEXT, labels=TEXTS)
HEAD = exactly(
    ("template", "rayStartParams"),
    template=ANY,
    rayStartParams=TEXTS,
    serviceType={"enum": ["ClusterIP"]},  # a NodePort or LoadBalancer would open it to others
)
WORKERS = exactly(
    ("groupName", "template", "minReplicas", "maxReplicas", "rayStartParams"),
    groupName=TEXT,
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    idleTimeoutSeconds=COUNT,
    rayStartParams=TEXTS,
    template=ANY,
)
CLUSTER_SPEC = exactly(
    ("rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"),
    rayVersion=TEXT,
    authOptions=exactly(
        ("mode", "secretName"), mode={"enum": ["disabled", "token"]}, secretName=TEXT
    ),
    enableInTreeAutoscaling=FLAG,
    autoscalerOptions=exactly(
        version={"enum": ["v1", "v2"]},
        idleTimeoutSeconds=COUNT,
        upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
        resources=ANY,
        securityContext=ANY,
    ),
    headGroupSpec=HEAD,
    workerGroupSpecs={"type": "array", "items": WORKERS, "minItems": 1},
)
JOB_SPEC = exactly(
    ("entrypoint", "rayClusterSpec", "shutdownAfterJobFinishes", "backoffLimit"),
    entrypoint=TEXT,
    metadata=TEXTS,
    submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
    shutdownAfterJobFinishes=FLAG,
    ttlSecondsAfterFinished=COUNT,
    activeDeadlineSeconds={"type": "integer", "minimum": 1},
    backoffLimit=COUNT,
    submitterConfig=exactly(backoffLimit=COUNT),
    submitterPodTemplate=ANY,
    rayClusterSpec=CLUSTER_SPEC,
)


def resource(kind: str, spec: Schema) -> Schema:
    head = {"apiVersion": {"const": "ray.io/v1"}, "kind": {"const": kind}}
    return exactly(("apiVersion", "kind", "metadata", "spec"), **head, metadata=METADATA, spec=spec)


SCHEMAS = {
    "RayCluster": resource("RayCluster", CLUSTER_SPEC),
    "RayJob": resource("RayJob", JOB_SPEC),
}
