/** Places that a template names: it goes to every account and region as it is. Pure. */
import { REGION_ZONES } from '../registry/regions.ts';
import { type ComponentTemplate, type Finding, textsIn, type Unpublished } from './template.ts';

/** What is for people to read: a number there is a cost centre, a name a remark. */
const REMARK = /(^|\.)(Tags(\.|$)|Description$|Metadata(\.|$))/;

const REGION = new RegExp(`(?<![a-z0-9])(${Object.keys(REGION_ZONES).join('|')})(?![0-9])`);

/** A UUID: its last group has as many digits as an account. */
const UUID = /(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])/gi;
/** A telephone number as E.164 has it, or with two zeros for the plus. Source: ITU-T E.164. */
const TELEPHONE = /(?:\+|\btel:\+?|\bsms:\+?)\d[\d ().-]*/g;
/** Twelve digits, and no account of anybody: the numbers begin at 1, and no account is all zeros. */
const ACCOUNT = /(?<![0-9A-Za-z])(?!0{12})\d{12}(?![0-9A-Za-z])/;
/** Fields in which a number, too, is an account. */
const HOLDS_ACCOUNT = /account|owner|principal|aws$/i;

const isAccount = (text: string): boolean => ACCOUNT.test(text.replace(UUID, '').replace(TELEPHONE, ''));

/** What ties a template to one place. */
const TIES: readonly {
  readonly what: string;
  readonly holds: (text: string, path: string, isNumber: boolean) => boolean;
  readonly fix: string;
}[] = [
  {
    what: 'an asset of the CDK',
    holds: (text) => /cdk-[a-z0-9]+-(container-)?assets-/.test(text),
    fix: 'take the image as a parameter, and put code into it',
  },
  {
    what: 'an account',
    // A number of JSON is an amount: 100 GiB are twelve digits of bytes.
    holds: (text, path, isNumber) => isAccount(text) && (!isNumber || HOLDS_ACCOUNT.test(path.split('.').at(-1) ?? '')),
    fix: 'refer to AWS::AccountId, or read it from /cell/…',
  },
  { what: 'a region', holds: (text) => REGION.test(text), fix: 'refer to AWS::Region' },
  { what: 'a partition', holds: (text) => /(?<![a-z])arn:[a-z]/.test(text), fix: 'refer to AWS::Partition' },
];

/** Places that the template names. Mappings and conditions may: they say what holds where, and lead nowhere. */
export function* places({ Resources, Outputs, Parameters }: ComponentTemplate): Generator<Finding> {
  for (const { path, text, isNumber } of textsIn({ Resources, Outputs, Parameters }, '')) {
    if (REMARK.test(path)) continue;
    const tie = TIES.find(({ holds }) => holds(text, path, isNumber));
    if (tie) yield { path, message: `names ${tie.what}: ${text}`, fix: tie.fix };
  }
}

/** Images that every cell would pull from one region. */
export function* imagePlaces({ images }: Pick<Unpublished, 'images'>): Generator<Finding> {
  for (const [name, uri] of Object.entries(images)) {
    const region = /\.dkr\.ecr\./.test(uri) ? REGION.exec(uri)?.[1] : undefined;
    if (region === undefined) continue;
    const message = `${uri} is pulled from ${region} by every cell, wherever it is`;
    yield { path: `images.${name}`, message, fix: `write {region} instead of ${region}` };
  }
}
