import type { TextSink } from './output.ts';

/** Redraws a second: enough to look alive, few enough for a slow line. */
const redrawsPerSecond = 8;

/** Text that is drawn over itself while work goes on. Everything it drew is gone when it ends. */
export class LiveView {
  readonly #screen: TextSink | undefined;
  readonly #render: (columns: number, rows: number) => readonly string[];
  #timer: NodeJS.Timeout | undefined;
  #drawnLines = 0;

  /** Draws what `render` says; nothing without a screen. */
  constructor(screen: TextSink | undefined, render: (columns: number, rows: number) => readonly string[]) {
    this.#screen = screen;
    this.#render = render;
  }

  /** Begins to draw. */
  start(): void {
    if (this.#screen === undefined) return;
    this.#timer = setInterval(() => this.#draw(), 1000 / redrawsPerSecond);
    this.#timer.unref();
    this.#draw();
  }

  /** Takes away what was drawn, so that lines can be printed; it is drawn again below them. */
  pause(): void {
    if (this.#drawnLines > 0) this.#screen?.write(`\u001B[${this.#drawnLines}A\u001B[J`);
    this.#drawnLines = 0;
  }

  /** Ends, and takes away what was drawn. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.pause();
  }

  #draw(): void {
    const columns = this.#screen?.columns ?? 80;
    const rows = this.#screen?.rows ?? 24;
    const lines = this.#render(columns, rows)
      .slice(0, rows - 1)
      .map((line) => cut(line, columns - 1));
    const back = this.#drawnLines > 0 ? `\u001B[${this.#drawnLines}A` : '';
    this.#screen?.write(`${back}\u001B[J${lines.map((line) => `${line}\n`).join('')}`);
    this.#drawnLines = lines.length;
  }
}

/** Shortens a line to a width; a line with looks is left alone, its text was made to fit. */
function cut(line: string, width: number): string {
  return line.includes('\u001B') || line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

/** `██████░░░░  12/20`. */
export function progressBar(done: number, total: number, width: number): string {
  const filled = total === 0 ? width : Math.round((Math.min(done, total) / total) * width);
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}  ${done}/${total}`;
}
