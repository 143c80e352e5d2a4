/** Rules about the roles that people take in cells. */
import { type Rule, seconds, UNIT } from './subject.ts';

/** Shortest and longest session. Source: "Set session duration for AWS accounts", IAM Identity Center User Guide. */
const SESSION = { min: UNIT.h, max: 12 * UNIT.h } as const;

export const ACCESS_RULES: readonly Rule[] = [
  {
    code: 'SESSION_LENGTH',
    description: 'a session lasts from one hour to twelve',
    *check({ settings }) {
      for (const [role, { session }] of Object.entries(settings?.access.roles ?? {})) {
        if (seconds(session) >= SESSION.min && seconds(session) <= SESSION.max) continue;
        yield { path: `access.roles.${role}.session`, message: `"${session}" is not allowed`, fix: 'use 1h to 12h' };
      }
    },
  },
];
