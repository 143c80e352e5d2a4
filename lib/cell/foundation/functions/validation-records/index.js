/**
 * Removes the records by which ACM validated the cell's certificates when the cell goes: CloudFormation writes them, leaves
 * them behind, and then can't delete the zone that holds them.
 */
const { ChangeResourceRecordSetsCommand, ListResourceRecordSetsCommand, Route53Client } = require('@aws-sdk/client-route-53');

const isValidation = ({ Type, ResourceRecords = [] }) =>
  Type === 'CNAME' && ResourceRecords.some(({ Value }) => /\.acm-validations\.aws\.?$/.test(Value));

/** All records of the zone. The SDK has no paginator for this call. */
async function recordsOf(client, HostedZoneId) {
  const records = [];
  let next = {};
  do {
    const page = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId, ...next }));
    records.push(...page.ResourceRecordSets);
    next = page.IsTruncated
      ? { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType, StartRecordIdentifier: page.NextRecordIdentifier }
      : undefined;
  } while (next);
  return records;
}

exports.handler = async ({ RequestType, ResourceProperties }) => {
  if (RequestType !== 'Delete') return {};
  const client = new Route53Client({});
  const { HostedZoneId } = ResourceProperties;
  const left = (await recordsOf(client, HostedZoneId)).filter(isValidation);
  if (left.length > 0) {
    const Changes = left.map((ResourceRecordSet) => ({ Action: 'DELETE', ResourceRecordSet }));
    await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
  }
  return {};
};
