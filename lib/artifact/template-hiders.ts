/** What hides resources from the check before a rollout changes a stack: it would not see what they lose. Pure. */
import { holderOf } from '../plan/hidden-resources.ts';
import { type ComponentTemplate, type Finding, isSection, resourcesOf } from './template.ts';

/** Resources that hold others, and macros, which make others. */
export function* hiders(template: ComponentTemplate): Generator<Finding> {
  for (const { id, type } of resourcesOf(template)) {
    const holder = holderOf(type);
    if (holder === undefined) continue;
    const message = `${id} (${type}) is ${holder}: what a change does to its resources can't be seen before it happens`;
    yield { path: `Resources.${id}`, message, fix: 'declare its resources in the template itself, or split the component' };
  }
  const { Transform, ...rest } = template;
  if (Transform !== undefined) yield macro('Transform', Transform);
  for (const [path, what] of macrosIn(rest, '')) yield macro(path, what);
}

const macro = (path: string, what: unknown): Finding => ({
  path,
  message: `runs the macro ${JSON.stringify(what)}, so that what is deployed isn't what was published`,
  fix: 'publish the template that the macro makes: `sam` and the CDK expand it in the build',
});

/** `Fn::ForEach` is of a macro, too: AWS::LanguageExtensions. */
function* macrosIn(value: unknown, path: string): Generator<readonly [path: string, what: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (key === 'Fn::Transform') yield [at, isSection(each) && each['Name'] !== undefined ? each['Name'] : each];
    else if (key.startsWith('Fn::ForEach')) yield [at, 'AWS::LanguageExtensions'];
    else yield* macrosIn(each, at);
  }
}
