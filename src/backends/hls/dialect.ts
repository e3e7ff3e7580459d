/** How stages are written for HLS: exact widths, pragmas, line buffers. */
import type { Dialect, ElementType } from '../cpp/stage.js';
import type { IntegerType, Table, TableForm } from '../cpp/table.js';

export const apType = ({ signed, bits }: IntegerType): string => `${signed ? 'ap_int' : 'ap_uint'}<${bits}>`;

export const elementName = (type: ElementType): string => (type === 'f32' ? 'float' : apType(type));

/** Tables have exact widths for the vendor's tools, and are native integers in simulations (see defines.h). */
export const romForm = ({ name, type, data }: Table): TableForm => ({
  ctype: `${type.signed ? 'rom_int' : 'rom_uint'}<${type.bits}>`,
  perByte: 1,
  bytes: Math.ceil((data.length * type.bits) / 8),
  length: data.length,
  read: (base, offset) => {
    const at = base === '' ? offset : offset === '0' ? base : `${base} + ${offset}`;
    return `(int32_t)${name}[${at}]`;
  },
  element: (at) => `${name}[${at}]`,
});

const shared = {
  element: elementName,
  table: romForm,
  place: '',
  float: (array: string, at: string) => `${array}[${at}]`,
};

/** Memories, inputs one after another. */
export const foldedDialect = (lanes: Dialect['lanes']): Dialect => ({
  ...shared,
  lineBuffers: true,
  localSums: true,
  pragma: (text) => [`#pragma ${text}`],
  lanes,
});

/** Everything at once: what folded designs pipeline is unrolled. */
export const unrolledDialect: Dialect = {
  ...shared,
  lineBuffers: false,
  localSums: false,
  pragma: (text) => (/PIPELINE|UNROLL/.test(text) ? ['#pragma HLS UNROLL'] : []),
  lanes: (outputs) => outputs,
};

/** Software beside the design. */
export const hostDialect: Dialect = {
  ...shared,
  lineBuffers: false,
  localSums: false,
  pragma: () => [],
  lanes: (outputs) => outputs,
};
