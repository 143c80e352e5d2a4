/** Reads pipelines in templates as CodePipeline would. */
import { runTool } from './python.ts';

export interface Action {
  readonly Name: string;
  readonly RunOrder: number;
  readonly ActionTypeId: { readonly Category: string; readonly Provider: string };
  readonly Configuration: Readonly<Record<string, unknown>>;
  readonly RoleArn?: { readonly 'Fn::GetAtt': readonly [string, string] };
  readonly Namespace?: string;
  readonly InputArtifacts?: readonly { readonly Name: string }[];
  readonly OutputArtifacts?: readonly { readonly Name: string }[];
}

interface RenderedPipeline {
  readonly Stages: readonly { readonly Name: string; readonly Actions: readonly Action[]; readonly OnFailure?: object }[];
  readonly Triggers: readonly unknown[];
  readonly ExecutionMode: string;
  readonly PipelineType: string;
}

interface TemplateResource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
}

/** The one pipeline of a template. */
export function pipelineIn({ Resources }: Template): RenderedPipeline {
  const found = Object.values(Resources).filter(({ Type }) => Type === 'AWS::CodePipeline::Pipeline');
  if (found.length !== 1) throw new Error(`${found.length} pipelines`);
  return found[0]?.Properties as unknown as RenderedPipeline;
}

export const actionsIn = (template: Template): readonly Action[] => pipelineIn(template).Stages.flatMap(({ Actions }) => Actions);

/** For each action the actions that must have ended well before it begins: stages go one after the other, and in a stage the run orders. */
export function renderedNeeds(template: Template): ReadonlyMap<string, readonly string[]> {
  const groups = pipelineIn(template).Stages.flatMap(({ Actions }) => {
    const orders = [...new Set(Actions.map(({ RunOrder }) => RunOrder))].sort((a, b) => a - b);
    return orders.map((order) => Actions.filter(({ RunOrder }) => RunOrder === order).map(({ Name }) => Name));
  });
  return new Map(groups.flatMap((names, index) => names.map((name) => [name, groups[index - 1] ?? []] as const)));
}

/** Names of actions at which somebody must agree. */
export const renderedGates = (template: Template): readonly string[] =>
  actionsIn(template).flatMap(({ Name, ActionTypeId }) => (ActionTypeId.Provider === 'Manual' ? [Name] : []));

/** Where API and template differ in more than the first letter. */
const parameterOf = (property: string) => (property === 'BuildSpec' ? 'buildspec' : `${property[0]?.toLowerCase()}${property.slice(1)}`);

/** A template's properties as the parameters of the API: names begin small, and what is not known yet is some text. */
function asParameters(value: unknown, isMap = false): unknown {
  if (Array.isArray(value)) return value.map((each) => asParameters(each));
  if (typeof value !== 'object' || value === null) return value;
  if (Object.keys(value).some((key) => key === 'Ref' || key.startsWith('Fn::'))) return 'arn:known:when:it:is:deployed';
  const entries = Object.entries(value).filter(([key]) => key !== 'Tags');
  return Object.fromEntries(entries.map(([key, each]) => [isMap ? key : parameterOf(key), asParameters(each, key === 'Configuration')]));
}

const CHECK = `
import json, sys
import botocore.session
from botocore.validate import ParamValidator
session = botocore.session.get_session()
for service, operation, parameters in json.load(sys.stdin):
    shape = session.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        print(operation, report.generate_report())
`;

/** What the service's own description of its API says against a template's pipelines and projects. */
export async function shapeProblems({ Resources }: Template): Promise<string> {
  const calls = Object.values(Resources).flatMap(({ Type, Properties }) => {
    if (Type === 'AWS::CodePipeline::Pipeline') return [['codepipeline', 'CreatePipeline', { pipeline: asParameters(Properties) }]];
    return Type === 'AWS::CodeBuild::Project' ? [['codebuild', 'CreateProject', asParameters(Properties)]] : [];
  });
  if (calls.length === 0) throw new Error('nothing to check');
  return runTool('python', ['-c', CHECK], JSON.stringify(calls));
}
