"""Buckets, tables, queues, topics, parameters, log groups and keys. moto's models drop most properties, and update few of them."""

import json
from typing import Any

from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from ..clients import call
from ..model import CREATES, DELETES, EXISTS, REPLACE, UPDATES, ApiModel, Model, known, model, tag_list

BUCKET = "AWS::S3::Bucket"


# --- S3 ---


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's flat rule as the API's nested one."""
    converted = {"ID": rule.get("Id", "rule"), "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ExpirationInDays" in rule:
        converted["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "NoncurrentVersionExpiration" in rule:
        converted["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    if "AbortIncompleteMultipartUpload" in rule:
        converted["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    if "Transitions" in rule:
        converted["Transitions"] = [
            {"Days": each.get("TransitionInDays"), "StorageClass": each["StorageClass"]} for each in rule["Transitions"]
        ]
    return converted


def _encryption(properties: dict[str, Any]) -> dict[str, Any]:
    rules = properties["ServerSideEncryptionConfiguration"]
    return {"Rules": [{**rule, "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault", {})} for rule in rules]}


# Property: (call to set, call to remove, the parameter, how the property becomes it).
BUCKET_SETTINGS: dict[str, tuple[str, str, str, Any]] = {
    "BucketEncryption": ("PutBucketEncryption", "DeleteBucketEncryption", "ServerSideEncryptionConfiguration", _encryption),
    "LifecycleConfiguration": (
        "PutBucketLifecycleConfiguration",
        "DeleteBucketLifecycle",
        "LifecycleConfiguration",
        lambda value: {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]},
    ),
    "OwnershipControls": ("PutBucketOwnershipControls", "DeleteBucketOwnershipControls", "OwnershipControls", lambda value: value),
    "PublicAccessBlockConfiguration": (
        "PutPublicAccessBlock",
        "DeletePublicAccessBlock",
        "PublicAccessBlockConfiguration",
        lambda value: value,
    ),
    "Tags": ("PutBucketTagging", "DeleteBucketTagging", "Tagging", lambda value: {"TagSet": tag_list({"Tags": value})}),
    "VersioningConfiguration": ("PutBucketVersioning", "", "VersioningConfiguration", lambda value: value),
}


@known(EXISTS, BUCKET)
def bucket_exists(name: str, account_id: str, region: str) -> bool:
    """Bucket names are taken across accounts. In us-east-1 the API answers an owner's second creation with the bucket that exists."""
    partition = get_partition(region)
    return any(name in backends[partition].buckets for backends in list(s3_backends.values()) if partition in backends)


@known(CREATES, BUCKET)
def finish_bucket(bucket: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    _configure_bucket(bucket.name, properties, {}, account_id, region)


@known(UPDATES, BUCKET)
def update_bucket(bucket: Any, new: dict[str, Any], old: dict[str, Any], account_id: str, region: str) -> Any:
    if new.get("BucketName") != old.get("BucketName"):
        return REPLACE
    _configure_bucket(bucket.name, new, old, account_id, region)
    return bucket


@known(DELETES, BUCKET)
def delete_bucket(bucket: Any, properties: dict[str, Any], account_id: str, region: str) -> None:
    """moto leaves a bucket that has objects, and says that it is gone."""
    call("s3", "DeleteBucket", {"Bucket": bucket.name}, account_id, region)


def _configure_bucket(name: str, new: dict[str, Any], old: dict[str, Any], account_id: str, region: str) -> None:
    for setting, (put, remove, parameter, convert) in BUCKET_SETTINGS.items():
        if setting in new and new[setting] != old.get(setting):
            call("s3", put, {"Bucket": name, parameter: convert(new[setting])}, account_id, region)
        elif setting in old and setting not in new and remove:
            call("s3", remove, {"Bucket": name}, account_id, region)


# --- SQS and SNS ---


@model
class Queue(ApiModel):
    type = "AWS::SQS::Queue"
    name_property = "QueueName"
    replaced_by = ("FifoQueue",)
    attributes = ("Arn", "QueueName", "QueueUrl")
    service, creates, updates, deletes = "sqs", "CreateQueue", "SetQueueAttributes", "DeleteQueue"
    id_parameter, id_path = "QueueUrl", "QueueUrl"

    def create(self) -> None:
        self.name = self.name[-80:] if not self.properties.get("FifoQueue") or self.name.endswith(".fifo") else f"{self.name[-75:]}.fifo"
        super().create()

    def parameters(self) -> dict[str, Any]:
        settings = {key: _text(value) for key, value in self.properties.items() if key not in ("QueueName", "Tags")}
        return {"Attributes": settings, "Tags": tag_list(self.properties)}

    def update(self, old: dict[str, Any]) -> None:
        super().update(old)
        self.retag("sqs", old, "UntagQueue", "TagQueue", QueueUrl=self.physical_resource_id)

    def attribute(self, name: str) -> str:
        """Not asked of SQS: a stack knows it, also when somebody has deleted the queue."""
        arn = f"arn:{get_partition(self.region)}:sqs:{self.region}:{self.account_id}:{self.name}"
        return {"QueueName": self.name, "QueueUrl": self.physical_resource_id, "Arn": arn}[name]


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


@known(EXISTS, Queue.type)
def queue_exists(name: str, account_id: str, region: str) -> bool:
    return name in sqs_backends[account_id][region].queues


@model
class Topic(ApiModel):
    type = "AWS::SNS::Topic"
    name_property = "TopicName"
    name_parameter = "Name"
    replaced_by = ("FifoTopic",)
    attributes = ("TopicArn", "TopicName")
    service, creates, deletes, id_parameter, id_path = "sns", "CreateTopic", "DeleteTopic", "TopicArn", "TopicArn"

    def parameters(self) -> dict[str, Any]:
        settings = {key: _text(value) for key, value in self.properties.items() if key in ("DisplayName", "FifoTopic", "KmsMasterKeyId")}
        return {"Attributes": settings, "Tags": tag_list(self.properties)}

    def create(self) -> None:
        super().create()
        for subscription in self.properties.get("Subscription", []):
            self.call("sns", "Subscribe", TopicArn=self.physical_resource_id, **subscription)

    def update(self, old: dict[str, Any]) -> None:
        for name in ("DisplayName", "KmsMasterKeyId"):
            if self.properties.get(name) != old.get(name):
                value = self.properties.get(name, "")
                self.call("sns", "SetTopicAttributes", TopicArn=self.physical_resource_id, AttributeName=name, AttributeValue=value)
        self.retag("sns", old, ResourceArn=self.physical_resource_id)

    def attribute(self, name: str) -> str:
        return self.physical_resource_id if name == "TopicArn" else self.name


@known(EXISTS, Topic.type)
def topic_exists(name: str, account_id: str, region: str) -> bool:
    return any(arn.split(":")[-1] == name for arn in sns_backends[account_id][region].topics)


# --- SSM ---


@model
class Parameter(ApiModel):
    """moto deletes and creates a changed parameter, so that its version starts again; AWS puts a new version."""

    type = "AWS::SSM::Parameter"
    name_property = "Name"
    replaced_by = ("Type",)
    attributes = ("Type", "Value")
    service, creates, deletes, id_parameter = "ssm", "PutParameter", "DeleteParameter", "Name"

    def update(self, old: dict[str, Any]) -> None:
        parameters = {key: value for key, value in self.parameters().items() if key != "Tags"}
        self.call("ssm", "PutParameter", **parameters, Name=self.name, Overwrite=True)
        self.retag("ssm", old, "RemoveTagsFromResource", "AddTagsToResource", ResourceType="Parameter", ResourceId=self.name)

    def attribute(self, name: str) -> str:
        return str(self.properties[name])


# --- Logs ---


@model
class LogGroup(ApiModel):
    type = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    replaced_by = ("LogGroupClass",)
    attributes = ("Arn",)
    service, creates, deletes, id_parameter = "logs", "CreateLogGroup", "DeleteLogGroup", "logGroupName"

    def parameters(self) -> dict[str, Any]:
        return {**self.properties, "LogGroupName": self.name}

    def named(self) -> dict[str, str]:
        return {}

    def create(self) -> None:
        super().create()
        self._retain()

    def update(self, old: dict[str, Any]) -> None:
        """moto has no AssociateKmsKey."""
        self._retain()
        logs_backends[self.account_id][self.region].groups[self.name].kms_key_id = self.properties.get("KmsKeyId")
        self.retag("logs", old, resourceArn=self.attribute("Arn").removesuffix(":*"))

    def attribute(self, name: str) -> str:
        return f"arn:{get_partition(self.region)}:logs:{self.region}:{self.account_id}:log-group:{self.name}:*"

    def _retain(self) -> None:
        if "RetentionInDays" in self.properties:
            self.call("logs", "PutRetentionPolicy", logGroupName=self.name, retentionInDays=self.properties["RetentionInDays"])
        else:
            self.call("logs", "DeleteRetentionPolicy", logGroupName=self.name)


@model
class MetricFilter(ApiModel):
    type = "AWS::Logs::MetricFilter"
    name_property = "FilterName"
    replaced_by = ("LogGroupName",)
    service, creates = "logs", "PutMetricFilter"

    def update(self, old: dict[str, Any]) -> None:
        """moto keeps a filter that is put again beside the one before."""
        self.delete()
        self.create()

    def delete(self) -> None:
        self.call("logs", "DeleteMetricFilter", logGroupName=self.properties["LogGroupName"], filterName=self.name)


# --- KMS ---


@model
class Key(ApiModel):
    """moto keeps the policy as an object, not as the document that the API answers, and drops the key's other properties."""

    type = "AWS::KMS::Key"
    replaced_by = ("KeySpec", "KeyUsage", "MultiRegion", "Origin")
    attributes = ("Arn", "KeyId")
    service, creates, deletes, id_parameter, id_path = "kms", "CreateKey", "ScheduleKeyDeletion", "KeyId", "KeyMetadata.KeyId"

    def parameters(self) -> dict[str, Any]:
        policy = {"Policy": self.properties["KeyPolicy"]} if "KeyPolicy" in self.properties else {}
        return {**self.properties, **policy}

    def create(self) -> None:
        super().create()
        self._switch()

    def update(self, old: dict[str, Any]) -> None:
        if "KeyPolicy" in self.properties:
            self.call("kms", "PutKeyPolicy", KeyId=self.physical_resource_id, PolicyName="default", Policy=self.properties["KeyPolicy"])
        self.call("kms", "UpdateKeyDescription", KeyId=self.physical_resource_id, Description=self.properties.get("Description", ""))
        self.retag("kms", old, KeyId=self.physical_resource_id)
        self._switch()

    def delete(self) -> None:
        days = self.properties.get("PendingWindowInDays", 30)
        self.call("kms", "ScheduleKeyDeletion", KeyId=self.physical_resource_id, PendingWindowInDays=days)

    def attribute(self, name: str) -> str:
        return self.answer["KeyMetadata"][name]

    def _switch(self) -> None:
        rotates = str(self.properties.get("EnableKeyRotation", False)).lower() == "true"
        self.call("kms", "EnableKeyRotation" if rotates else "DisableKeyRotation", KeyId=self.physical_resource_id)
        enabled = str(self.properties.get("Enabled", True)).lower() == "true"
        self.call("kms", "EnableKey" if enabled else "DisableKey", KeyId=self.physical_resource_id)


@model
class KeyAlias(ApiModel):
    type = "AWS::KMS::Alias"
    name_property = "AliasName"
    service, creates, updates, deletes, id_parameter = "kms", "CreateAlias", "UpdateAlias", "DeleteAlias", "AliasName"


# --- DynamoDB ---


@model
class Table(Model):
    type = "AWS::DynamoDB::Table"
    name_property = "TableName"
    replaced_by = ("KeySchema", "LocalSecondaryIndexes")
    attributes = ("Arn", "StreamArn")

    def create(self) -> None:
        self.answer = self.call("dynamodb", "CreateTable", **self._parameters(), TableName=self.name, Tags=tag_list(self.properties))[
            "TableDescription"
        ]
        self._settings({})

    def update(self, old: dict[str, Any]) -> None:
        wanted = self._parameters()
        keys = (
            "BillingMode",
            "ProvisionedThroughput",
            "StreamSpecification",
            "DeletionProtectionEnabled",
            "AttributeDefinitions",
            "SSESpecification",
        )
        changed = {key: wanted[key] for key in keys if key in wanted and self.properties.get(key) != old.get(key)}
        if changed:
            self.call("dynamodb", "UpdateTable", TableName=self.name, **changed)
        self._settings(old)
        self.retag("dynamodb", old, ResourceArn=self.answer["TableArn"])

    def delete(self) -> None:
        self.call("dynamodb", "DeleteTable", TableName=self.name)

    def attribute(self, name: str) -> str:
        if name == "Arn":
            return self.answer["TableArn"]
        return self.call("dynamodb", "DescribeTable", TableName=self.name)["Table"].get("LatestStreamArn", "")

    def _parameters(self) -> dict[str, Any]:
        parameters = {key: value for key, value in self.properties.items() if key not in ("Tags", "TableName")}
        if "StreamSpecification" in parameters:
            parameters["StreamSpecification"] = {"StreamEnabled": True, **parameters["StreamSpecification"]}
        if "SSESpecification" in parameters:
            encryption = parameters["SSESpecification"]
            parameters["SSESpecification"] = {**encryption, "Enabled": encryption.get("SSEEnabled", True)}
        return parameters

    def _settings(self, old: dict[str, Any]) -> None:
        """What the API sets by calls of its own."""
        recovery = self.properties.get("PointInTimeRecoverySpecification")
        if recovery and recovery != old.get("PointInTimeRecoverySpecification"):
            self.call("dynamodb", "UpdateContinuousBackups", TableName=self.name, PointInTimeRecoverySpecification=recovery)
        expiry = self.properties.get("TimeToLiveSpecification")
        if expiry and expiry != old.get("TimeToLiveSpecification"):
            self.call("dynamodb", "UpdateTimeToLive", TableName=self.name, TimeToLiveSpecification=expiry)
