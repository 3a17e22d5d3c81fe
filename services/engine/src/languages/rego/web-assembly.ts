/** What this engine uses of the WebAssembly JavaScript interface (W3C, version 2.0), which Node has and its types lack. */
interface WebAssemblyApi {
  Module: (new (
    bytes: Uint8Array,
  ) => WasmModule) & {
    readonly imports: (module: WasmModule) => { readonly module: string; readonly name: string }[];
  };
  /** Off the thread that asks. */
  readonly compile: (bytes: Uint8Array) => Promise<WasmModule>;
  readonly Instance: new (
    module: WasmModule,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Global: new (type: { value: "i32"; mutable: boolean }, value: number) => WasmGlobal;
}

export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

export interface WasmGlobal {
  value: number | bigint;
}

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
