"""Alarms. moto has most of the API, but no CloudFormation types."""

from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.utilities.utils import get_partition

from ..model import EXISTS, Model, known, model, tag_list


class _Alarm(Model):
    name_property = "AlarmName"
    attributes = ("Arn",)
    operation: str

    def create(self) -> None:
        self._put(Tags=tag_list(self.properties))

    def update(self, old: dict[str, Any]) -> None:
        self._put()
        self.retag("cloudwatch", old, ResourceARN=self.attribute("Arn"))

    def delete(self) -> None:
        self.call("cloudwatch", "DeleteAlarms", AlarmNames=[self.name])

    def attribute(self, name: str) -> Any:
        """Not asked of CloudWatch: a stack knows it, also when somebody has deleted the alarm."""
        return f"arn:{get_partition(self.region)}:cloudwatch:{self.region}:{self.account_id}:alarm:{self.name}"

    def _put(self, **extra: Any) -> None:
        properties = {key: value for key, value in self.properties.items() if key != "Tags"}
        self.call("cloudwatch", self.operation, **{**properties, **extra, "AlarmName": self.name})


@model
class Alarm(_Alarm):
    type = "AWS::CloudWatch::Alarm"
    operation = "PutMetricAlarm"


@model
class CompositeAlarm(_Alarm):
    type = "AWS::CloudWatch::CompositeAlarm"
    operation = "PutCompositeAlarm"


@known(EXISTS, Alarm.type, CompositeAlarm.type)
def alarm_exists(name: str, account_id: str, region: str) -> bool:
    return name in cloudwatch_backends[account_id][region].alarms
