/**
 * What the page of `kanc view` is given: plain data, written as JSON by Node and read by the page. Only types stand
 * here, so that the page shares them without the compiler behind them.
 *
 * Arrays of numbers are `Packed`: base64 of their little-endian bytes, which is what keeps the page small.
 */

/** Changes with every change of the types below: a page never reads a model of another form. */
export const VIEW_FORMAT = 2;

export interface Packed {
  readonly type: 'u8' | 'u16' | 'i8' | 'i16' | 'i32' | 'f32';
  readonly base64: string;
}

export interface ViewModel {
  readonly format: typeof VIEW_FORMAT;
  readonly kanc: string;
  /** What the page is about: the name of the network, and the file or folder without its path. */
  readonly name: string;
  readonly file: string;
  readonly kind: 'checkpoint' | 'graph' | 'artifact';
  /** The pipeline as it can be typed; empty where nothing ran. */
  readonly pipeline: string;
  /** The first step is the graph as it came; every other one is a pass. */
  readonly steps: ReadonlyArray<StepView>;
  readonly layers: ReadonlyArray<LayerView>;
  readonly tables: ReadonlyArray<TableView>;
  readonly costs: CostsView;
  /** What the figures of the steps were measured on; absent without data. */
  readonly measured?: {
    readonly samples: number;
    readonly labels: boolean;
    readonly unit: 'classes' | 'values';
  };
}

export type Change = 'same' | 'changed' | 'added' | 'removed';

export interface StepView {
  /** The pass, or `import`, `input` for the graph as it came. */
  readonly name: string;
  /** With its options, as the pipeline has it. */
  readonly call: string;
  readonly summary: string;
  /** Absent for the graph as it came. */
  readonly milliseconds?: number;
  readonly changed: boolean;
  readonly level: string;
  readonly ops: number;
  readonly bytes: number;
  readonly bitOps: number;
  readonly counts: Readonly<Record<Change, number>>;
  readonly remarks: ReadonlyArray<RemarkView>;
  readonly quality?: QualityView;
  /** Index into `steps` of the graph that this one equals, where the pass changed nothing; else its own. */
  readonly graph: number;
  /** Absent where the graph is that of another step. */
  readonly nodes?: ReadonlyArray<NodeView>;
  readonly text?: string;
}

export interface RemarkView {
  readonly severity: 'note' | 'warning';
  readonly message: string;
  readonly op?: string;
}

/** How good the graph is after a pass. */
export interface QualityView {
  /** From the first graph that was measured, of a checkpoint the float network: relative RMS of all outputs. */
  readonly divergence: number;
  readonly agreement?: number;
  readonly accuracy?: number;
  readonly rmse?: number;
  readonly clippedInput?: number;
  readonly clippedHidden?: number;
}

export interface NodeView {
  readonly name: string;
  /** The op; `input` and `return` for the ends of the graph. */
  readonly op: string;
  readonly operands: ReadonlyArray<string>;
  /** Element and shape; the meaning apart, as it can be long. */
  readonly type: string;
  readonly meaning?: string;
  readonly change: Change;
  readonly attrs: ReadonlyArray<AttrView>;
  readonly bytes: number;
  readonly bitOps: number;
  readonly reads: number;
  /** Index into `layers`, where the op is one of them. */
  readonly layer?: number;
}

export interface AttrView {
  readonly name: string;
  readonly value: string;
  /** Of a constant: its least and largest element. */
  readonly range?: readonly [number, number];
}

/** A layer as its edges. */
export interface LayerView {
  readonly name: string;
  readonly inputs: number;
  /** Outputs of one group; edges are inputs times outputs. */
  readonly outputs: number;
  readonly groups: number;
  /** The edge functions are known only as tables where the network is not. */
  readonly source: 'functions' | 'tables';
  readonly form: 'edge' | 'basis' | 'codes' | 'none';
  /** What each input reads: a channel, or the channel of a tap. */
  readonly channelOf: Packed;
  readonly channels: ReadonlyArray<ChannelView>;
  readonly steps: ReadonlyArray<StepsView>;
  /** Inputs whose every edge is constant: `prune` removes them. */
  readonly deadInputs: number;
  readonly deadEdges: number;
  /** Edges that the last graph does not have any more: their tables are those before they were removed. */
  readonly removedEdges: number;
  /** Whether tables are those of the last graph; false where it has no layer with these edges. */
  readonly isLast: boolean;
  readonly error: Distribution;
  readonly importance: Distribution;
  /**
   * One byte for each edge, input by input, where there are few enough: 0 for 0, else 1 to 255 on a logarithmic scale
   * that ends at the largest value and spans `SCORE_DECADES` decades.
   */
  readonly scores?: { readonly error: Packed; readonly importance: Packed; readonly dead: Packed };
  /** The shape of each edge: `points` bytes between its own least and largest value, for points from lo to hi of its channel. */
  readonly outlines?: {
    readonly points: number;
    readonly values: Packed;
    readonly lo: Packed;
    readonly hi: Packed;
  };
  /** Largest scores over blocks of edges: what is drawn as a map. */
  readonly map: {
    readonly rows: number;
    readonly columns: number;
    readonly error: Packed;
    readonly importance: Packed;
  };
  readonly details: ReadonlyArray<EdgeView>;
}

export const SCORE_DECADES = 6;

/** What codes stand for, ascending, of wide codes only some: at equal distances, or f32 values. */
export type StepsView =
  | { readonly _tag: 'equal'; readonly first: number; readonly last: number; readonly count: number }
  | { readonly _tag: 'list'; readonly values: Packed };

export interface ChannelView {
  /** Ends of the drawn range. */
  readonly lo: number;
  readonly hi: number;
  /** Relative frequency of calibration inputs in equal bins from lo to hi, the largest 255; absent without data. */
  readonly histogram?: Packed;
  /** Index into `LayerView.steps`; absent where nothing is quantized. */
  readonly steps?: number;
}

/** How a score is distributed over the edges: counts in equal bins of its logarithm. */
export interface Distribution {
  readonly min: number;
  readonly max: number;
  readonly median: number;
  readonly zeros: number;
  readonly counts: ReadonlyArray<number>;
}

/** One edge in full. */
export interface EdgeView {
  /** input * outputs + output. */
  readonly edge: number;
  readonly error: number;
  readonly importance: number;
  readonly dead: boolean;
  /** f32, equally spaced from lo to hi of the channel; absent where only tables are known. */
  readonly curve?: Packed;
  /** The value of the table at every step of the channel; absent where there are no codes. */
  readonly table?: Packed;
}

/** A constant as a heat map: itself where it is small, else a projection. */
export interface TableView {
  readonly op: string;
  readonly attr: string;
  readonly type: string;
  readonly bytes: number;
  readonly pictures: ReadonlyArray<PictureView>;
}

export interface PictureView {
  readonly title: string;
  readonly rows: number;
  readonly columns: number;
  readonly rowLabel: string;
  readonly columnLabel: string;
  /** What the colour stands for. */
  readonly unit: string;
  /** Elements of a row or column that one pixel stands for. */
  readonly rowStep: number;
  readonly columnStep: number;
  readonly diverging: boolean;
  readonly data: Packed;
}

export interface CostsView {
  readonly forms: ReadonlyArray<{ readonly form: string; readonly title: string }>;
  readonly layers: ReadonlyArray<CostRow>;
  readonly total: CostRow;
  readonly ratios: { readonly of: string; readonly bitOps: Readonly<Record<string, number>> };
}

export interface CostRow {
  readonly name: string;
  readonly size: string;
  readonly op?: string;
  readonly bits?: {
    readonly act: number;
    readonly coef: number;
    readonly basis: number;
    readonly table: number;
  };
  readonly parameters?: number;
  readonly costs: Readonly<
    Record<string, { readonly bitOps: number; readonly bytes: number; readonly reads: number }>
  >;
}
