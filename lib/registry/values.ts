/** Single values that definitions are made of: names, ids, blocks, times. */
import { z } from 'zod';

const DNS_LABEL = /^[a-z]([a-z0-9-]*[a-z0-9])?$/;

/** A DNS label: names become part of host names. How long AWS lets what is derived from them be is a rule's business. */
export const label = z
  .string()
  .max(63, 'must be at most 63 characters')
  .regex(DNS_LABEL, 'must be lower-case letters, digits and inner hyphens, starting with a letter');

/** An account of AWS. */
export const accountId = z.string().regex(/^\d{12}$/, 'must be 12 digits');
export const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-?\d+$/, 'must look like eu-west-1');
export const block = z.cidrv4({ error: 'must be an IPv4 block such as 10.0.16.0/20' });
export const duration = z.string().regex(/^\d+(s|m|h|d)$/, 'must be a whole number with a unit: 90s, 30m, 12h, 2d');
export const tags = z.record(z.string().min(1).max(128), z.string().max(256));
export const instant = z.iso.datetime({ offset: true, error: 'write ISO 8601 with a time zone, e.g. 2030-01-31T18:00:00Z' });
export const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day: 09:30');
export const endOfWindow = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time of day: 17:30, or 24:00 for the end of the day');
