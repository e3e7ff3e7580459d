export interface Meta {
  readonly name: string;
  readonly kanc: string;
  readonly input: {
    readonly name: string;
    readonly shape: ReadonlyArray<number>;
    readonly dtype: 'f32' | 'u8';
    readonly levels: number;
    readonly refusesNaN: boolean;
    readonly quantizers: ReadonlyArray<Readonly<Record<string, unknown>>>;
  };
  readonly output: {
    readonly name: string;
    readonly shape: ReadonlyArray<number>;
    readonly dtype: 'f32' | 'i32';
  };
  readonly raw: {
    readonly name: string;
    readonly shape: ReadonlyArray<number>;
    readonly element: string;
    readonly meaning: unknown;
  };
}
