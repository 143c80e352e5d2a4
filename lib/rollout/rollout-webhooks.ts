import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Duration, SecretValue } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { Plan } from '../plan/plan.ts';
import { EVENT_SOURCE } from './event.ts';

type Webhook = Plan['notifications']['webhooks'][string];

/** What is posted, by the webhook's `body`. */
const BODIES: Readonly<Record<Webhook['body'], events.RuleTargetInput>> = {
  chat: events.RuleTargetInput.fromObject({ text: events.EventField.fromPath('$.detail.text') }),
  event: events.RuleTargetInput.fromEventPath('$.detail'),
};

/**
 * Has the bus tell an address. EventBridge posts by itself and tries again for a day; no code of ours sees the secret, and no
 * template holds it.
 * @param undelivered what the address did not take
 */
export function addWebhook(scope: Construct, name: string, webhook: Webhook, bus: events.IEventBus, undelivered: sqs.IQueue): void {
  const { secret, body, events: wanted } = webhook;
  const of = (jsonField: string) => SecretValue.secretsManager(secret, { jsonField });
  const connection = new events.Connection(scope, `Connection-${name}`, {
    connectionName: `cell-factory-${name}`,
    description: `What the webhook ${name} says who it is`,
    authorization: events.Authorization.apiKey('Authorization', of('authorization')),
  });
  const destination = new events.ApiDestination(scope, `Destination-${name}`, {
    apiDestinationName: `cell-factory-${name}`,
    description: `The webhook ${name}`,
    connection,
    // An address may be a secret itself: a chat asks for no other.
    endpoint: of('url').unsafeUnwrap(),
    httpMethod: events.HttpMethod.POST,
  });
  new events.Rule(scope, `Rule-${name}`, {
    description: `What the webhook ${name} is told`,
    eventBus: bus,
    eventPattern: { source: [EVENT_SOURCE], ...(wanted === 'all' ? {} : { detail: { attention: [true] } }) },
    targets: [
      // The CDK's interface and class disagree about what is left out and what is undefined.
      new targets.ApiDestination(destination as events.IApiDestination, {
        event: BODIES[body],
        deadLetterQueue: undelivered,
        maxEventAge: Duration.days(1),
      }),
    ],
  });
}
