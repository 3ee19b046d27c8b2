"""The Kubernetes manifests: by schema, by Ray's own reader, and by what they must not allow."""

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.deploy.kuberay_schema import SCHEMAS
from tests.deploy.shipped import MANIFESTS, cluster_specs, documents, manifests, pods

ALL = [(path, document) for path in MANIFESTS for document in documents(path)]
OURS = [document for _, document in ALL if document["kind"] in SCHEMAS]


@pytest.mark.parametrize("document", OURS, ids=lambda d: d["kind"])
def test_a_resource_of_kuberay_has_known_fields_only(document):
    jsonschema.validate(document, SCHEMAS[document["kind"]])


def test_a_misspelt_field_would_be_found():
    (job,) = manifests("RayJob")
    job["spec"]["shutdownAfterJobFinish"] = True
    with pytest.raises(jsonschema.ValidationError, match="shutdownAfterJobFinish"):
        jsonschema.validate(job, SCHEMAS["RayJob"])


@pytest.mark.parametrize(
    "document", [d for _, d in ALL if d["kind"] not in SCHEMAS], ids=lambda d: d["kind"]
)
def test_a_resource_of_kubernetes_fits_its_own_schema(document):
    kubernetes_validate.validate(document, "1.31", strict=True)


@pytest.mark.parametrize("spec", pods(), ids=lambda spec: spec["containers"][0]["image"])
def test_a_pod_fits_the_schema_of_kubernetes(spec):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
    kubernetes_validate.validate(pod, "1.31", strict=True)


@pytest.mark.parametrize("spec", cluster_specs(), ids=["RayCluster", "RayJob"])
def test_rays_autoscaler_reads_the_cluster(spec):
    from ray.autoscaler._private.kuberay.autoscaling_config import (
        _derive_autoscaling_config_from_ray_cr,
    )

    cluster = {"metadata": {"name": "a", "namespace": "b"}, "spec": spec}
    types = _derive_autoscaling_config_from_ray_cr(cluster)["available_node_types"]
    assert types["headgroup"]["resources"]["CPU"] == 0
    assert types["gpu"]["resources"]["GPU"] == 1


@pytest.mark.parametrize("spec", cluster_specs(), ids=["RayCluster", "RayJob"])
def test_token_authentication_is_on(spec):
    assert spec["authOptions"] == {"mode": "token", "secretName": "jepa-ray-token"}


@pytest.mark.parametrize("spec", pods(), ids=lambda spec: spec["containers"][0]["image"])
def test_no_pod_may_more_than_an_ordinary_user(spec):
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert not spec.get("hostNetwork")
    for container in spec["containers"]:
        security = container["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}


@pytest.mark.parametrize("spec", pods(), ids=lambda spec: spec["containers"][0]["image"])
def test_secrets_come_by_reference(spec):
    for container in spec["containers"]:
        assert all("value" not in variable for variable in container.get("env", ()))
        assert all(set(source) == {"secretRef"} for source in container.get("envFrom", ()))


def test_a_finished_job_leaves_no_cluster_and_a_failed_one_is_tried_again():
    (job,) = manifests("RayJob")
    assert job["spec"]["shutdownAfterJobFinishes"] is True
    assert job["spec"]["backoffLimit"] >= 1


def test_only_the_pods_of_the_cluster_reach_its_ports():
    (policy,) = manifests("NetworkPolicy")
    assert policy["spec"]["podSelector"] == {}
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    for rule in policy["spec"]["ingress"]:
        assert rule["from"]
        if "namespaceSelector" in rule["from"][0]:
            assert rule["from"][0]["namespaceSelector"]["matchLabels"]
            assert {port["port"] for port in rule["ports"]} <= {8080, 8265}


def test_every_account_and_claim_that_a_pod_names_is_there():
    names = {(d["kind"], d["metadata"]["name"]) for _, d in ALL}
    for spec in pods():
        account = spec.get("serviceAccountName")
        assert account is None or ("ServiceAccount", account) in names
        for volume in spec.get("volumes", ()):
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in names


def test_the_job_in_the_manifest_is_one_that_its_verb_takes():
    from jepa_ray.cli.job import arguments_of

    (settings,) = manifests("ConfigMap")
    for name, text in settings["data"].items():
        arguments_of(name.removesuffix(".yaml"), yaml.safe_load(text))
