/**
 * The frame of every plot: Observable Plot draws scales, axes and marks into a document of linkedom's, without a
 * browser; this adds title and description, the colours of a light and a dark page, and a ground of its own, so that
 * a plot is legible wherever it is embedded. The same figures give the same bytes.
 */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** Whose figure it is; decides the colour. */
export type Tone = 'endorse' | 'second' | 'peer' | 'floor';

/** What a plot says about itself. */
export interface PlotText {
  readonly title: string;
  /** How to read it; stands under the title. */
  readonly note: string;
  /** What it shows, in words, for those who do not see it. */
  readonly description: string;
}

/** An axis of numbers. */
export interface PlotAxis {
  /** With its unit, as in `milliseconds`. */
  readonly label: string;
  readonly logarithmic?: boolean;
}

/** A plot of 760 pixels in width, for the options of Observable Plot without what the frame decides. */
export function framePlot({ title, note, description }: PlotText, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><body></body>');
  const svg = Plot.plot({
    ...options,
    document,
    className: 'plot',
    width,
    marginTop: headerHeight + (options.marginTop ?? 0),
  }) as unknown as SvgElement;
  const height = Number(svg.getAttribute('height'));
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-labelledby', 'title description');
  svg.setAttribute('fill', ink);
  svg.setAttribute('font-size', '12');
  svg.removeAttribute('font-family');
  svg.querySelector('style')?.remove();
  svg.insertAdjacentHTML(
    'afterbegin',
    [
      `<title id="title">${escape(title)}</title>`,
      `<desc id="description">${escape(description)}</desc>`,
      `<style>${style}</style>`,
      `<rect width="${width}" height="${height}" rx="6" fill="${paper}"></rect>`,
      `<text x="16" y="26" text-anchor="start" font-size="15" font-weight="600">${escape(title)}</text>`,
      `<text x="16" y="46" text-anchor="start" fill="${muted}">${escape(note)}</text>`,
    ].join(''),
  );
  // Hundredths of a pixel are enough, and the same on every machine.
  const rounded = svg.outerHTML.replaceAll(/-?\d+\.\d{3,}/g, (digits) =>
    String(Number(Number(digits).toFixed(2))),
  );
  return `${rounded.replaceAll('currentColor', ink)}\n`;
}

/** A scale with its axis for these values: whole powers of ten where it is logarithmic, from zero where it is not. */
export function scaleOf(
  { label, logarithmic = false }: PlotAxis,
  values: readonly number[],
): Plot.ScaleOptions {
  const common = {
    label,
    labelArrow: 'none',
    labelAnchor: 'center',
    labelOffset: 40,
    grid: true,
    tickFormat: (value: number) => value.toLocaleString('en-US'),
  } as const;
  if (!logarithmic) return { ...common, type: 'linear', nice: true, zero: true, ticks: 6 };
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  return { ...common, type: 'log', domain: [10 ** first, 10 ** last], ticks };
}

/** Colour of a tone, ink, secondary ink, ground and the colour of a limit, as they are in the style of the frame. */
export const colourOf = (tone: Tone): string => `var(--${tone})`;
export const paper = 'var(--paper)';
export const ink = 'var(--ink)';
export const muted = 'var(--muted)';
export const limitColour = 'var(--limit)';

const width = 760;
const headerHeight = 64;

const light =
  '--paper:#ffffff;--ink:#1f2328;--muted:#59636e;--endorse:#0969da;--second:#1a7f37;--peer:#bc4c00;--floor:#818b98;--limit:#cf222e';
const dark =
  '--paper:#0d1117;--ink:#f0f6fc;--muted:#9198a1;--endorse:#4493f8;--second:#3fb950;--peer:#db6d28;--floor:#8b949e;--limit:#f85149';
const style = `.plot{${light};font-family:system-ui,sans-serif}@media(prefers-color-scheme:dark){.plot{${dark}}}`;

/** The little of the DOM that is needed; the compiler's library is that of Node.js. */
interface SvgElement {
  readonly outerHTML: string;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  querySelector(selector: string): { remove(): void } | null;
  insertAdjacentHTML(position: string, html: string): void;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
