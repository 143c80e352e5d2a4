"""Resource policies, which are types of their own in CloudFormation and attributes of the resource in the API."""

from typing import Any

from ..model import Model, model


@model
class QueuePolicy(Model):
    type = "AWS::SQS::QueuePolicy"
    replaced_by = ("Queues",)
    attributes = ("Id",)

    def create(self) -> None:
        self._put(self.properties["PolicyDocument"])

    def update(self, old: dict[str, Any]) -> None:
        self.create()

    def delete(self) -> None:
        self._put("")

    def attribute(self, name: str) -> str:
        return self.physical_resource_id

    def _put(self, policy: Any) -> None:
        for queue in self.properties["Queues"]:
            self.call("sqs", "SetQueueAttributes", QueueUrl=queue, Attributes={"Policy": policy})


@model
class TopicPolicy(Model):
    type = "AWS::SNS::TopicPolicy"
    replaced_by = ("Topics",)
    attributes = ("Id",)

    def create(self) -> None:
        for topic in self.properties["Topics"]:
            self.call("sns", "SetTopicAttributes", TopicArn=topic, AttributeName="Policy", AttributeValue=self.properties["PolicyDocument"])

    def update(self, old: dict[str, Any]) -> None:
        self.create()

    def attribute(self, name: str) -> str:
        return self.physical_resource_id


@model
class BucketPolicy(Model):
    type = "AWS::S3::BucketPolicy"
    replaced_by = ("Bucket",)

    def create(self) -> None:
        self.physical_resource_id = self.properties["Bucket"]
        self.call("s3", "PutBucketPolicy", Bucket=self.properties["Bucket"], Policy=self.properties["PolicyDocument"])

    def update(self, old: dict[str, Any]) -> None:
        self.create()

    def delete(self) -> None:
        self.call("s3", "DeleteBucketPolicy", Bucket=self.properties["Bucket"])


@model
class Subscription(Model):
    type = "AWS::SNS::Subscription"
    replaced_by = ("TopicArn", "Endpoint", "Protocol")
    attributes = ("Arn",)

    def create(self) -> None:
        self.physical_resource_id = self.call("sns", "Subscribe", **self.properties, ReturnSubscriptionArn=True)["SubscriptionArn"]
        self.update({})

    def update(self, old: dict[str, Any]) -> None:
        for name in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"):
            if self.properties.get(name) != old.get(name):
                value = self.properties.get(name, "")
                self.call(
                    "sns", "SetSubscriptionAttributes", SubscriptionArn=self.physical_resource_id, AttributeName=name, AttributeValue=value
                )

    def delete(self) -> None:
        self.call("sns", "Unsubscribe", SubscriptionArn=self.physical_resource_id)

    def attribute(self, name: str) -> str:
        return self.physical_resource_id
