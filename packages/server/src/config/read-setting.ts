import { ConfigError } from './config-error.ts';
import type { Given } from './given.ts';
import type { SettingSchema, SettingValue } from './setting.ts';

/** Parses and checks one value; the error names what the operator wrote and says what would have done. */
export function readSetting(schema: SettingSchema, given: Given): SettingValue {
  const value = given.isText ? parseText(schema, String(given.value)) : given.value;
  if (isAccepted(schema, value)) return value;
  throw new ConfigError(given.name, schema['x-expected'], schema['x-secret'] ? undefined : shown(given));
}

function parseText(schema: SettingSchema, text: string): unknown {
  const trimmed = text.trim();
  if (schema.type === 'integer') return /^[0-9]{1,15}$/.test(trimmed) ? Number(trimmed) : undefined;
  if (schema.type === 'boolean') {
    return trimmed === 'true' || trimmed === '1'
      ? true
      : trimmed === 'false' || trimmed === '0'
        ? false
        : undefined;
  }
  return trimmed;
}

function isAccepted(schema: SettingSchema, value: unknown): value is SettingValue {
  if (value === null) return schema['x-default'].embedded === null;
  if (schema.type === 'boolean') return typeof value === 'boolean';
  if (schema.type === 'integer') {
    return (
      Number.isSafeInteger(value) &&
      (value as number) >= (schema.minimum ?? 0) &&
      (value as number) <= (schema.maximum ?? Number.MAX_SAFE_INTEGER)
    );
  }
  return (
    typeof value === 'string' &&
    value.length >= (schema.minLength ?? 0) &&
    value.length <= (schema.maxLength ?? Number.POSITIVE_INFINITY) &&
    (schema.enum === undefined || schema.enum.includes(value)) &&
    (schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value))
  );
}

function shown(given: Given): string {
  const text = JSON.stringify(given.value).slice(0, 120);
  // Kubernetes injects this very variable for a Service named `keyswarm`: say so, it costs people an hour.
  const isServiceLink = given.name === 'KEYSWARM_PORT' && /^"tcp:\/\//.test(text);
  return isServiceLink ? `${text} (set by Kubernetes: give the pod enableServiceLinks: false)` : text;
}
