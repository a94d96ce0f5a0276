/** What the Windows device and its worker say to each other. */

/** What the worker loads. */
export interface TbsLoadOptions {
  /** Specifier of the foreign-function module; default `koffi`. */
  readonly ffiModule?: string | undefined;
  /** The library it opens; default `tbs.dll`. */
  readonly library?: string | undefined;
}

/** Main thread to worker. */
export type TbsRequest =
  | { readonly id: number; readonly type: 'submit'; readonly command: Uint8Array }
  | { readonly id: number; readonly type: 'cancel' }
  | { readonly id: number; readonly type: 'close' };

/** Worker to main thread; `opened` and `open-failed` come once and first. */
export type TbsReply =
  | { readonly type: 'opened' }
  | { readonly type: 'open-failed'; readonly reason: 'ffi' | 'library' | 'version'; readonly message: string }
  | { readonly type: 'open-failed'; readonly reason: 'status'; readonly status: number }
  | {
      readonly type: 'answered';
      readonly id: number;
      readonly status: number;
      readonly response: Uint8Array;
    };
