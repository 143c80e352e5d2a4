"""moto's threaded HTTP server, with the mends put in just before the first use of the service they are for (start-up stays short)."""

import importlib
import json
import logging
import sys
from typing import Any

from flask import request
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from . import dns, memory  # noqa: F401
from .connections import LastingHandler

HOST = "127.0.0.1"

# Where functions answer CloudFormation.
ANSWERS = "/moto-api/cell-factory/answers"


# What to import before a service is used for the first time.
MENDS = {
    "account": ("account_regions",),
    "acm": ("acm",),
    "awslambda": ("functions",),
    "cloudtrail": ("cloudtrail",),
    "cloudformation": ("cloudformation",),
    "cloudwatch": ("alarms", "traffic"),
    "codepipeline": ("pipelines",),
    "dynamodb": ("dynamodb",),
    "ec2": ("zones",),
    "ecr": ("ecr",),
    "elasticache": ("elasticache",),
    "events": ("events", "stepfunctions"),
    "organizations": ("organizations",),
    "rds": ("rds",),
    "route53": ("route53",),
    "s3": ("s3",),
    "s3bucket_path": ("s3",),
    "servicequotas": ("servicequotas",),
    "stepfunctions": ("stepfunctions",),
    "sts": ("web_identity",),
    "synthetics": ("synthetics",),
}


def create_mended_app(service: str) -> Any:
    """One Flask app per service, as moto makes them; a service's mends are imported first. moto calls this under a lock."""
    # Every call asks IAM whose it is.
    for module in () if service == "moto_api" else ("iam", *MENDS.get(service, ())):
        importlib.import_module(f"{__package__}.{module}")
    app = create_backend_app(service)
    if service != "moto_api":
        importlib.import_module(f"{__package__}.faults").watch(app, service)
        importlib.import_module(f"{__package__}.account_regions").watch(app, service)
        importlib.import_module(f"{__package__}.permissions").watch(app, service)
    else:
        app.add_url_rule("/moto-api/cell-factory/skipped", endpoint="cell-factory-skipped", methods=["GET"], view_func=list_skipped)
        app.add_url_rule("/moto-api/cell-factory/traffic", endpoint="cell-factory-traffic", methods=["POST"], view_func=set_traffic)
        app.add_url_rule(
            "/moto-api/cell-factory/faults", endpoint="cell-factory-faults", methods=["GET", "POST", "DELETE"], view_func=change_faults
        )
        app.add_url_rule("/moto-api/cell-factory/databases", endpoint="cell-factory-databases", methods=["POST"], view_func=change_databases)
        app.add_url_rule("/moto-api/cell-factory/zones", endpoint="cell-factory-zones", methods=["POST"], view_func=change_zones)
        app.add_url_rule("/moto-api/cell-factory/pipelines", endpoint="cell-factory-pipelines", methods=["POST"], view_func=change_pipelines)
        app.add_url_rule("/moto-api/cell-factory/pace", endpoint="cell-factory-pace", methods=["POST"], view_func=set_pace)
        app.add_url_rule(
            "/moto-api/cell-factory/layers/<account>/<region>/<digest>/<path:repository>",
            endpoint="cell-factory-layers",
            methods=["GET"],
            view_func=give_layer,
        )
        app.add_url_rule(f"{ANSWERS}/<token>", endpoint="cell-factory-answers", methods=["PUT"], view_func=take_answer)
    return app


def list_skipped() -> tuple[str, int, dict[str, str]]:
    """GET /moto-api/cell-factory/skipped. Until CloudFormation is used there is nothing, and no need to import it."""
    listing = getattr(sys.modules.get(f"{__package__}.skipped"), "skipped_resources", list)
    return json.dumps({"skipped": listing()}), 200, {"content-type": "application/json"}


def take_answer(token: str) -> str:
    """PUT /moto-api/cell-factory/answers/...: what a custom resource's function answers to CloudFormation."""
    sys.modules[f"{__package__}.types.custom"].take_answer(token, request.get_data())
    return ""


def give_layer(account: str, region: str, digest: str, repository: str) -> bytes:
    """GET /moto-api/cell-factory/layers/...: a layer of an image, at the address that ECR has given."""
    return sys.modules[f"{__package__}.ecr"].layer(account, region, digest, repository)


def set_traffic() -> tuple[str, int]:
    """POST /moto-api/cell-factory/traffic {"account": "...", "component": "...", "rate": 0}: from now on so many requests a second reach
    the component, or without one every component of the account."""
    wanted = request.get_json(force=True)
    account, component, rate = wanted.get("account"), wanted.get("component"), wanted.get("rate")
    if not isinstance(account, str) or not isinstance(rate, (int, float)) or rate < 0:
        return "traffic needs an account and a rate of requests a second\n", 400
    importlib.import_module(f"{__package__}.traffic").set_rate(account, component, float(rate))
    return "", 204


def set_pace() -> tuple[str, int]:
    """POST /moto-api/cell-factory/pace {"waits": 0.25, "interfaces": 10}: from now on, Wait states of Step Functions last a quarter of what
    they say, and network interfaces outlive their function by ten seconds."""
    wanted = request.get_json(force=True)
    known = {"waits": ("pace", "set_factor"), "interfaces": ("interfaces", "set_lingering")}
    if not wanted or any(key not in known or not isinstance(value, (int, float)) or value < 0 for key, value in wanted.items()):
        return "pace needs a factor of waits or seconds of interfaces, 0 or more\n", 400
    for key, value in wanted.items():
        module, setter = known[key]
        getattr(importlib.import_module(f"{__package__}.{module}"), setter)(float(value))
    return "", 204


def change_databases() -> tuple[str, int]:
    """POST /moto-api/cell-factory/databases {"account": "...", "database": "...", "storageGiB": 300, "version": "17.8"}: storage has grown
    and the minor version was upgraded, of one database or of all of the account. {"withdrawn": ["17.7"], "defaults": {"17": "17.8"},
    "missing": {"db.r7g.2xlarge": ["a"]}}: what RDS offers from now on, in all accounts; each replaces what was said before."""
    try:
        importlib.import_module(f"{__package__}.rds").change(request.get_json(force=True))
    except Exception as error:
        return f"{error}\n", 400
    return "", 204


def change_pipelines() -> tuple[str, int]:
    """POST /moto-api/cell-factory/pipelines {"account": "...", "pipeline": "...", "execution": "...", "status": "Failed"}: an execution of
    a pipeline, and how it is from now on."""
    try:
        importlib.import_module(f"{__package__}.pipelines").change(request.get_json(force=True))
    except Exception as error:
        return f"{error}\n", 400
    return "", 204


def change_zones() -> tuple[str, int]:
    """POST /moto-api/cell-factory/zones {"region": "eu-west-1", "id": "euw1-az4", "without": ["logs"]}: a zone that is added, for every
    account, and what has no endpoints in it."""
    try:
        importlib.import_module(f"{__package__}.zones").change(request.get_json(force=True))
    except Exception as error:
        return f"{error}\n", 400
    return "", 204


def change_faults() -> tuple[str, int]:
    """POST /moto-api/cell-factory/faults {"service": "cloudformation", "operation": "CreateChangeSet", "code": "Throttling",
    "account": "...", "message": "...", "status": 400, "times": 3}: the next calls (of that account) fail so.
    GET lists, and DELETE clears, what is to come."""
    faults = importlib.import_module(f"{__package__}.faults")
    if request.method == "GET":
        return json.dumps({"faults": faults.listing()}), 200
    if request.method == "DELETE":
        faults.clear()
        return "", 204
    try:
        faults.add(request.get_json(force=True))
    except Exception as error:
        return f"{error}\n", 400
    return "", 204


# State machines run and AWS's managed policies exist, which moto leaves off by default. It reads the latter when IAM is loaded.
default_user_config["stepfunctions"]["execute_state_machine"] = True
default_user_config["iam"]["load_aws_managed_policies"] = True


def serve(port: int) -> None:
    """Serves until the process ends: HTTP, and DNS on the port of the same number."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    dns.start(HOST, port)
    app = DomainDispatcherApplication(create_mended_app)
    make_server(HOST, port, app, threaded=True, request_handler=LastingHandler).serve_forever()
