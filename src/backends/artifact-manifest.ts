/** The manifest of an artifact of whichever target. */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { type Checked, fail, printable } from '../diagnostics/index.js';
import { type CManifest, parseCManifest } from './c/manifest.js';
import { type HlsManifest, parseHlsManifest } from './hls/manifest.js';
import { parseVerilogManifest, type VerilogManifest } from './verilog/manifest.js';
import { type Manifest, parseManifest } from './wasm/manifest.js';
import { parseWgslManifest, type WgslManifest } from './wgsl/manifest.js';

export type ArtifactManifest = Manifest | WgslManifest | CManifest | HlsManifest | VerilogManifest;

const Target = t.type({ target: t.string });

/** K0603 when it is none, and for targets that this version does not know. */
export const parseArtifactManifest = (text: string): Checked<ArtifactManifest> => {
  const data = E.tryCatch((): unknown => JSON.parse(text), String);
  const target = E.isRight(data) && Target.is(data.right) ? data.right.target : 'wasm';
  switch (target) {
    case 'wasm':
      return parseManifest(text);
    case 'wgsl':
      return parseWgslManifest(text);
    case 'c':
      return parseCManifest(text);
    case 'hls':
      return parseHlsManifest(text);
    case 'verilog':
      return parseVerilogManifest(text);
    default:
      return fail('K0603', `manifest.json is of target '${printable(target, 60)}'`, {
        expected: 'wasm, wgsl, c, hls or verilog',
        hint: 'A newer version of kanc may have written it.',
      });
  }
};
