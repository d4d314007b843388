// An epoch as metrics.jsonl and column.json hold it: one flat object, measures of the validation data under `validation_<name>`, those of several heads under
// `validation_<head>/<name>`.
import { type MeasureName, measureNames } from '../model/heads/measure-names.js';
import type { EpochRecord } from '../train/checkpoint.js';
import { headFigures, headsInFigures } from '../train/evaluate.js';
import type { MetricValue } from '../workspace/metrics-log.js';

const prefix = 'validation_';
const keyOf = (name: MeasureName): string => name.replaceAll(' ', '_');

/** An epoch as one flat object of numbers. */
export type FlatEpoch = Readonly<Record<string, number>>;

/** The record as one flat object. */
export function flat({ validation, measures, ...record }: EpochRecord): Record<string, number> {
  const seen = validation && { validation_loss: validation.loss, validation_metric: validation.metric };
  const heads = Object.entries(headFigures(validation?.heads)).map(([key, value]) => [prefix + key, value]);
  return { ...record, ...keyed(measures, ''), ...seen, ...keyed(validation?.measures, prefix), ...Object.fromEntries(heads) };
}

/** The record of such an object. */
export function epochOf(stored: Readonly<Record<string, MetricValue>>): EpochRecord {
  const of = (name: string) => Number(stored[name]);
  const record = { epoch: of('epoch'), loss: of('loss'), rate: of('rate'), ...named(stored, '') };
  if (stored.validation_loss === undefined) return record;
  const behind = Object.entries(stored).flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
  );
  const heads = headsInFigures(Object.fromEntries(behind));
  const seen = { loss: of('validation_loss'), metric: of('validation_metric'), ...named(stored, prefix) };
  return { ...record, validation: { ...seen, ...(heads && { heads }) } };
}

function keyed(measures: EpochRecord['measures'] = {}, before: string): Record<string, number> {
  return Object.fromEntries(
    measureNames.flatMap((name) => (measures[name] === undefined ? [] : [[`${before}${keyOf(name)}`, measures[name]]])),
  );
}

function named(stored: Readonly<Record<string, MetricValue>>, before: string): Pick<EpochRecord, 'measures'> {
  const measures = measureNames.flatMap((name) => {
    const value = stored[`${before}${keyOf(name)}`];
    return typeof value === 'number' ? [[name, value] as const] : [];
  });
  return measures.length === 0 ? {} : { measures: Object.fromEntries(measures) };
}
