/**
 * What a stack should have and has no more, as far as it is cheap to see: alarms and parameters, by their names. CloudFormation
 * compares templates, so that a plain deployment of an unchanged one finds nothing to do.
 */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { missingAlarms, missingParameters } from '../aws/named-resources.ts';
import type { Session } from '../aws/session.ts';
import { stackTemplate } from '../aws/stacks.ts';
import type { Template } from '../aws/toolkit.ts';
import { storedTemplate } from '../review/patience.ts';

const ALARMS: readonly string[] = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm'];

/** Names that the template writes out, of resources of those types. */
function namesOf({ Resources = {} }: Template, types: readonly string[], property: string): string[] {
  return Object.values(Resources).flatMap(({ Type, Properties = {} }) => {
    const name = Properties[property];
    return types.includes(Type) && typeof name === 'string' ? [name] : [];
  });
}

/** @param wanted the template that will be deployed: what it doesn't have any more, nobody misses. @default - the deployed one */
export async function missingFrom(session: Session, deployed: Template, wanted: Template = deployed): Promise<string[]> {
  const both = (types: readonly string[], property: string) => {
    const still = new Set(namesOf(wanted, types, property));
    return namesOf(deployed, types, property).filter((name) => still.has(name));
  };
  const [alarms, parameters] = await Promise.all([
    missingAlarms(session, both(ALARMS, 'AlarmName')),
    missingParameters(session, both(['AWS::SSM::Parameter'], 'Name')),
  ]);
  return [...alarms, ...parameters].sort();
}

/** The same of a stack that is there. */
export async function missingInStack(session: Session, stackName: string): Promise<string[]> {
  return missingFrom(session, storedTemplate(await stackTemplate(new CloudFormationClient(session), stackName)) as Template);
}
