/** Log groups that services of AWS would make by themselves: without the cell's key, for ever, and in no stack. */
import type * as kms from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Fn, RemovalPolicy, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { CellPlan } from '../../plan/plan.ts';
import { cellAccountName } from '../../registry/index.ts';

/**
 * The name of a resource whose log group is named after it: known before the resource, as its group must be there first. The
 * end of it comes from the stack's id, so that a cell that is built again meets neither groups nor backups of the one before.
 */
export function nameOfStack(scope: Construct, { name }: Pick<CellPlan, 'name'>): string {
  const uuid = Fn.select(2, Fn.split('/', Stack.of(scope).stackId));
  return `${cellAccountName(name)}-${Fn.select(0, Fn.split('-', uuid))}`;
}

/** The group, with the cell's key, kept as long as the cell's other logs, and gone or left with them. */
export function createServiceLog(scope: Construct, id: string, { profile }: CellPlan, key: kms.Key, logGroupName: string): LogGroup {
  return new LogGroup(scope, id, {
    logGroupName,
    encryptionKey: key,
    retention: profile.logDays,
    removalPolicy: profile.keepsData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
}
