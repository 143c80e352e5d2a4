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

from . import dns

HOST = "127.0.0.1"

# Where functions answer CloudFormation.
ANSWERS = "/moto-api/cell-factory/answers"


# What to import before a service is used for the first time.
MENDS = {
    "acm": ("acm",),
    "cloudtrail": ("cloudtrail",),
    "cloudformation": ("cloudformation",),
    "elasticache": ("elasticache",),
    "events": ("stepfunctions",),
    "iam": ("iam",),
    "lambda": ("functions",),
    "organizations": ("organizations",),
    "route53": ("route53",),
    "s3": ("s3",),
    "s3bucket_path": ("s3",),
    "servicequotas": ("servicequotas",),
    "stepfunctions": ("stepfunctions",),
    "synthetics": ("synthetics",),
}


def create_mended_app(service: str) -> Any:
    """One Flask app per service, as moto makes them; a service's mends are imported first. moto calls this under a lock."""
    for module in MENDS.get(service, ()):
        importlib.import_module(f"{__package__}.{module}")
    app = create_backend_app(service)
    if service == "moto_api":
        app.add_url_rule("/moto-api/cell-factory/skipped", endpoint="cell-factory-skipped", methods=["GET"], view_func=list_skipped)
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


def serve(port: int) -> None:
    """Serves until the process ends: HTTP, and DNS on the port of the same number.
    State machines run and AWS's managed policies exist, which moto leaves off by default."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    default_user_config["iam"]["load_aws_managed_policies"] = True
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    dns.start(HOST, port)
    make_server(HOST, port, DomainDispatcherApplication(create_mended_app), threaded=True).serve_forever()
