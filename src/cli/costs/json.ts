/** A cost report as one JSON object. docs/costs.md tells what the keys mean. */
import type { FormCosts, PartReport } from '../../analyses/cost-report.js';
import { FORMS } from '../../analyses/cost-report.js';
import type { Json } from '../../backends/backend.js';
import type { ModelReport } from '../../driver/cost-report.js';
import { hardwareJson } from './hardware.js';

const costsJson = (costs: FormCosts): Json =>
  Object.fromEntries(
    FORMS.flatMap((form) => {
      const work = costs[form];
      return work === undefined ? [] : [[form, { ...work }]];
    }),
  );

const partJson = ({ parameters, costs }: PartReport): Json => ({
  parameters: parameters ?? null,
  costs: costsJson(costs),
});

export const reportJson = ({ kind, report, artifact }: ModelReport): Json => ({
  kind,
  name: report.name,
  forms: report.forms,
  layers: report.layers.map(({ name, inputs, outputs, positions, parameters, bits, op, costs }) => ({
    name,
    inputs,
    outputs,
    positions,
    parameters: parameters ?? null,
    bits: bits === undefined ? null : { ...bits },
    op: op ?? null,
    costs: costsJson(costs),
  })),
  rest: partJson(report.rest),
  total: partJson(report.total),
  ratios: { of: report.ratios.of, bitOps: { ...report.ratios.bitOps } },
  ops: report.ops.map(({ name, op, work }) => ({ name, op, ...work })),
  artifact:
    artifact === undefined
      ? null
      : {
          target: artifact.target,
          kanc: artifact.kanc,
          options: artifact.options,
          pipeline: artifact.pipeline,
          outOfRange: artifact.outOfRange,
          nan: artifact.nan,
          divergence: artifact.divergence === null ? null : { ...artifact.divergence },
          files: { ...artifact.files },
          hardware: artifact.hardware === undefined ? null : hardwareJson(artifact.hardware),
        },
});
