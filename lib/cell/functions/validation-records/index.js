/**
 * Removes the records by which ACM validated the cell's certificates when the cell goes: CloudFormation writes them, leaves
 * them behind, and then can't delete the zone that holds them.
 */
const { ChangeResourceRecordSetsCommand, Route53Client, paginateListResourceRecordSets } = require('@aws-sdk/client-route-53');

const isValidation = ({ Type, ResourceRecords = [] }) =>
  Type === 'CNAME' && ResourceRecords.some(({ Value }) => /\.acm-validations\.aws\.?$/.test(Value));

exports.handler = async ({ RequestType, ResourceProperties }) => {
  if (RequestType !== 'Delete') return {};
  const client = new Route53Client({});
  const { HostedZoneId } = ResourceProperties;
  const left = [];
  for await (const { ResourceRecordSets } of paginateListResourceRecordSets({ client }, { HostedZoneId })) {
    left.push(...ResourceRecordSets.filter(isValidation));
  }
  if (left.length > 0) {
    const Changes = left.map((ResourceRecordSet) => ({ Action: 'DELETE', ResourceRecordSet }));
    await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
  }
  return {};
};
