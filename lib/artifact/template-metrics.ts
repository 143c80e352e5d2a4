/** Whether a bake can see what it waits for: requests that the component has served. Pure. */
import { type ComponentTemplate, type Finding, isSection, resourcesOf, textsIn } from './template.ts';

/** The metric that a bake counts, with its dimensions. */
const METRIC = { namespace: 'Cell', name: 'Requests', dimensions: ['cell', 'component'] } as const;
const NAME = `${METRIC.namespace}/${METRIC.name}`;

/** Dimensions of each metric filter of that name, as sorted lists. */
const filtersOf = (template: ComponentTemplate): readonly (readonly string[])[] =>
  resourcesOf(template)
    .filter(({ type }) => type === 'AWS::Logs::MetricFilter')
    .flatMap(({ properties }) => {
      const transformations = properties['MetricTransformations'];
      return Array.isArray(transformations) ? (transformations as unknown[]).filter(isSection) : [];
    })
    .filter(({ MetricNamespace, MetricName }) => MetricNamespace === METRIC.namespace && MetricName === METRIC.name)
    .map(({ Dimensions }) =>
      Array.isArray(Dimensions)
        ? (Dimensions as unknown[])
            .filter(isSection)
            .map(({ Key }) => String(Key))
            .sort()
        : [],
    );

/** Permission to put metrics: then the code does it, and the template doesn't say which. */
const mayPutMetrics = ({ Resources }: ComponentTemplate): boolean =>
  [...textsIn(Resources, '')].some(({ text }) => /^cloudwatch:(PutMetricData|Put\*|\*)$/i.test(text));

/**
 * Finds a template that emits no requests although its bake waits for some. `Metadata: { "Cell/Requests": "<how>" }` says that the
 * code does it in a way that a template doesn't show, such as the embedded metric format.
 * @param needed requests that each cell must have served before the bake can pass
 */
export function* missingMetrics(template: ComponentTemplate, needed: number): Generator<Finding> {
  if (needed === 0 || typeof template.Metadata?.[NAME] === 'string' || mayPutMetrics(template)) return;
  const filters = filtersOf(template);
  const wanted = METRIC.dimensions.join(', ');
  if (filters.some((dimensions) => dimensions.join(', ') === wanted)) return;
  const [other] = filters;
  const emits = other
    ? `emits ${NAME} with the dimensions ${other.join(', ') || 'none'}, not ${wanted}`
    : `emits no ${NAME} with the dimensions ${wanted}`;
  yield {
    path: 'Resources',
    message: `the template ${emits}, and its bake can't pass before each cell has served ${needed} requests of customers`,
    fix: `use CellService, or add an AWS::Logs::MetricFilter; where the code emits it: Metadata: { "${NAME}": "<how>" }; for a component that serves no requests: minRequests: 0 in its registry entry`,
  };
}
