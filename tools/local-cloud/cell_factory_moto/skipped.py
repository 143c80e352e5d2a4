"""Resources of types that nobody models: placeholders in their stack, and listed at GET /moto-api/cell-factory/skipped."""

from moto.cloudformation.models import cloudformation_backends

from .model import Model

NOT_WORTH_REPORTING = ("AWS::CDK::Metadata", "AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle")


class SkippedResource(Model):
    """moto forgets a resource without a model, and everything that refers to it fails or gets null.
    This stands in for it: references give made-up names, and it can be listed."""

    is_skipped = True

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True

    def attribute(self, name: str) -> str:
        return f"{self.physical_resource_id}.{name}"


def skipped_resources() -> list[dict[str, str]]:
    """Every placeholder in every stack that exists, sorted."""
    found = [
        {"account": account, "region": region, "stack": stack.name, "logicalId": logical_id, "type": resource.cf_resource_type}
        for account, regions in list(cloudformation_backends.items())
        for region, backend in list(regions.items())
        for stack in list(backend.stacks.values())
        for logical_id, resource in list(stack.resource_map._parsed_resources.items())
        if getattr(resource, "is_skipped", False) and resource.cf_resource_type not in NOT_WORTH_REPORTING
    ]
    return sorted(found, key=lambda entry: tuple(entry.values()))
