"""Functions. moto's model drops most properties and writes inline code into a Python file."""

import io
import zipfile
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.utilities.utils import get_partition

from ..interfaces import join, leave
from ..model import EXISTS, Model, known, model, tag_dict

SERVICE = "lambda"


@model
class Function(Model):
    type = "AWS::Lambda::Function"
    name_property = "FunctionName"
    replaced_by = ("PackageType",)
    attributes = ("Arn",)

    def create(self) -> None:
        self.name = self.physical_resource_id = self.name if "FunctionName" in self.properties else self.name[-64:].lstrip("-")
        self.call(SERVICE, "CreateFunction", **{**self._settings(), "Code": self._code(), "Tags": tag_dict(self.properties)})
        self._reserve({})
        network = self.properties.get("VpcConfig", {})
        if network.get("SubnetIds"):
            join(self.account_id, self.region, self.name, self.properties["Role"], network["SubnetIds"], network["SecurityGroupIds"])

    def update(self, old: dict[str, Any]) -> None:
        if self.properties["Code"] != old.get("Code"):
            self.call(SERVICE, "UpdateFunctionCode", FunctionName=self.name, **self._code())
        # What the template no longer has goes back to what it is without.
        defaults = {"Description": "", "Environment": {"Variables": {}}, "Layers": [], "MemorySize": 128, "Timeout": 3}
        self.call(SERVICE, "UpdateFunctionConfiguration", **{**defaults, **self._settings()})
        gone = [key for key in tag_dict(old) if key not in tag_dict(self.properties)]
        if gone:
            self.call(SERVICE, "UntagResource", Resource=self.attribute("Arn"), TagKeys=gone)
        if tag_dict(self.properties):
            self.call(SERVICE, "TagResource", Resource=self.attribute("Arn"), Tags=tag_dict(self.properties))
        self._reserve(old)

    def delete(self) -> None:
        self.call(SERVICE, "DeleteFunction", FunctionName=self.name)
        leave(self.account_id, self.region, self.name)

    def attribute(self, name: str) -> str:
        return f"arn:{get_partition(self.region)}:lambda:{self.region}:{self.account_id}:function:{self.name}"

    def _settings(self) -> dict[str, Any]:
        left_out = ("Code", "ReservedConcurrentExecutions", "Tags")
        return {**{key: value for key, value in self.properties.items() if key not in left_out}, "FunctionName": self.name}

    def _code(self) -> dict[str, Any]:
        """The API wants inline code packed."""
        code = self.properties["Code"]
        if "ZipFile" not in code:
            return code
        ending = "py" if str(self.properties.get("Runtime")).startswith("python") else "js"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(f"index.{ending}", code["ZipFile"])
        return {"ZipFile": packed.getvalue()}

    def _reserve(self, old: dict[str, Any]) -> None:
        key = "ReservedConcurrentExecutions"
        if key in self.properties:
            self.call(SERVICE, "PutFunctionConcurrency", FunctionName=self.name, **{key: self.properties[key]})
        elif key in old:
            self.call(SERVICE, "DeleteFunctionConcurrency", FunctionName=self.name)


@known(EXISTS, Function.type)
def function_exists(name: str, account_id: str, region: str) -> bool:
    return any(function.function_name == name for function in lambda_backends[account_id][region].list_functions(None))


@model
class EventInvokeConfig(Model):
    """Accepted, and shown. Asynchronous events are tried once here, whatever it says."""

    type = "AWS::Lambda::EventInvokeConfig"
    replaced_by = ("FunctionName", "Qualifier")

    def create(self) -> None:
        self.call(SERVICE, "PutFunctionEventInvokeConfig", **self.properties)

    def update(self, old: dict[str, Any]) -> None:
        """moto keeps one that is put again beside the one before."""
        self.delete()
        self.create()

    def delete(self) -> None:
        self.call(SERVICE, "DeleteFunctionEventInvokeConfig", FunctionName=self.properties["FunctionName"])
