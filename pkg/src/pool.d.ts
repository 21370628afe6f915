/// <reference lib="esnext.disposable" />
import type { CommonOptions, Converted, ConvertOptions, Input, InputFile, MessageView, Source, StreamEvent } from "./convert.js";

export interface PoolOptions {
  /** Number of workers, 1 to 64; default: one a core, at most 8. */
  size?: number;
  entry?: "convert";
}
/** As `Converter` of `warifu/convert`, with promises; order is kept. */
export interface PoolConverter extends Disposable {
  convert(input: Input): Promise<Converted>;
  convertPatient(files: Iterable<InputFile>): Promise<Converted>;
  convertAll(source: Source, options?: { signal?: AbortSignal }): AsyncIterableIterator<StreamEvent>;
  free(): void;
}
export interface Pool extends AsyncDisposable {
  readonly size: number;
  readonly Converter: new (options?: ConvertOptions) => PoolConverter;
  parse(input: Input, options?: CommonOptions): Promise<MessageView>;
  /** Ends the workers; what is under way is rejected with `disposed`. */
  terminate(): Promise<void>;
}
export declare function createPool(options?: PoolOptions): Promise<Pool>;
