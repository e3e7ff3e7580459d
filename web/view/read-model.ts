/** The model that stands in the page. */
import { VIEW_FORMAT, type ViewModel } from '../../src/view/model.js';

/** Page and model are written together, by one version: the number of the format is all that has to agree. */
const isModel = (u: unknown): u is ViewModel =>
  typeof u === 'object' && u !== null && 'format' in u && u.format === VIEW_FORMAT;

export const readModel = (): ViewModel | undefined => {
  const data: unknown = JSON.parse(document.getElementById('model')?.textContent ?? 'null');
  return isModel(data) ? data : undefined;
};
