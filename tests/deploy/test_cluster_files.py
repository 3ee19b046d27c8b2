"""The files of `ray up`, by Ray's own schema, and by what they must not open."""

import logging
import re

import pytest
import yaml

from tests.deploy.shipped import CLUSTERS, REPO, env_file

AWS, ON_PREMISE = CLUSTERS


def prepared(path):
    from ray.autoscaler._private.util import prepare_config

    return prepare_config(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda path: path.name)
def test_ray_accepts_the_file(path):
    from ray.autoscaler._private.util import validate_config

    logging.getLogger("ray").setLevel(logging.ERROR)
    validate_config(prepared(path))


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda path: path.name)
def test_no_setting_is_misspelt(path):
    """Ray fills in defaults, so a key that it does not know shows in the file itself."""
    import json
    from pathlib import Path

    import ray.autoscaler

    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    known = set(schema["properties"]) | {"min_workers"}
    assert set(yaml.safe_load(path.read_text())) <= known


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda path: path.name)
def test_the_token_goes_to_every_node_and_the_dashboard_stays_on_loopback(path):
    config = prepared(path)
    assert any(remote.endswith("/.ray/auth_token") for remote in config["file_mounts"])
    assert "chmod 600 ~/.ray/auth_token" in " ".join(config["head_setup_commands"])
    start = " ".join(config["head_start_ray_commands"])
    assert "--dashboard-host=127.0.0.1" in start
    assert "0.0.0.0" not in path.read_text()


def test_the_aws_cluster_has_private_addresses_and_roles_instead_of_keys():
    config = prepared(AWS)
    assert config["provider"]["use_internal_ips"] is True
    for node in config["available_node_types"].values():
        assert node["node_config"]["SecurityGroupIds"]  # else Ray opens SSH to the world
        assert node["node_config"]["IamInstanceProfile"]["Arn"]
        assert node["node_config"]["MetadataOptions"]["HttpTokens"] == "required"
    assert not re.search(r"AKIA|aws_secret|SECRET_ACCESS_KEY", AWS.read_text())


def test_workers_end_when_idle_and_gpus_are_spot_first():
    config = prepared(AWS)
    types = config["available_node_types"]
    assert 0 < config["idle_timeout_minutes"] <= 30
    assert all(node["min_workers"] == 0 for node in types.values())
    spot, fallback = types["gpu_spot"], types["gpu_on_demand"]
    assert spot["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert "InstanceMarketOptions" not in fallback["node_config"]
    assert spot["resources"] == fallback["resources"]
    assert spot["priority"] > fallback["priority"]


def test_the_limits_of_the_types_fit_the_limit_of_the_cluster():
    config = prepared(AWS)
    assert config["max_workers"] == sum(
        node["max_workers"] for node in config["available_node_types"].values()
    )


def test_on_premise_nodes_read_the_shipped_environment():
    config = prepared(ON_PREMISE)
    assert config["file_mounts"]["~/jepa-ray/ray.env"] == "deploy/ray.env"
    assert (REPO / "deploy/ray.env").exists()
    for commands in (config["head_start_ray_commands"], config["worker_start_ray_commands"]):
        assert commands[-1].index("ray.env") < commands[-1].index("ray start")


def test_the_shipped_environment_is_ours_with_authentication_on():
    from jepa_ray.cluster import ENVIRONMENT

    assert env_file() == ENVIRONMENT | {"RAY_AUTH_MODE": "token"}
