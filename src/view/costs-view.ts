/** The cost report of a model, as the page has it. */
import { type CostReport, FORM_TITLES, type LayerReport, type PartReport } from '../analyses/cost-report.js';
import type { CostRow, CostsView } from './model.js';

const costsOf = ({ costs }: PartReport): CostRow['costs'] =>
  Object.fromEntries(
    Object.entries(costs).map(([form, { bitOps, bytes, reads }]) => [form, { bitOps, bytes, reads }]),
  );

const layerRow = (layer: LayerReport): CostRow => ({
  name: layer.name,
  size: `${layer.inputs} x ${layer.outputs}${layer.positions === 1 ? '' : ` at ${layer.positions} windows`}`,
  ...(layer.op === undefined ? {} : { op: layer.op }),
  ...(layer.bits === undefined ? {} : { bits: layer.bits }),
  ...(layer.parameters === undefined ? {} : { parameters: layer.parameters }),
  costs: costsOf(layer),
});

const partRow = (name: string, part: PartReport): CostRow => ({
  name,
  size: '',
  ...(part.parameters === undefined ? {} : { parameters: part.parameters }),
  costs: costsOf(part),
});

export const costsView = ({ forms, layers, rest, total, ratios }: CostReport): CostsView => ({
  forms: forms.map((form) => ({ form, title: FORM_TITLES[form] })),
  layers: [...layers.map(layerRow), partRow('everything else', rest)],
  total: partRow('total', total),
  ratios: { of: ratios.of, bitOps: { ...ratios.bitOps } },
});
