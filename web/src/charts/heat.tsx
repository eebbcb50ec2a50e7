import type { ComponentChildren, JSX } from "preact";
import { count, dateTime, hourMinute, dayMonth } from "../text/format";
import { t } from "../text/strings";
import { TimesLine } from "./times";

// Rows × time in five steps, of which the first is nothing, and the rest grow by about the same factor: more is further from
// the page's colour. What was not observed is crossed out, never the first step.
export interface HeatRowProps {
	key: string;
	head: ComponentChildren;
	name: string;
	cells: Map<number, number>;
}

const round = (v: number): number => {
	const size = 10 ** Math.floor(Math.log10(v));
	return (
		[2, 5, 10].reduce(
			(best, m) => (Math.abs(Math.log(v / (m * size))) < Math.abs(Math.log(v / (best * size))) ? m : best),
			1,
		) * size
	);
};

export function thresholds(values: number[]): number[] {
	const positive = values.filter(v => v > 0).sort((a, b) => a - b);
	if (!positive.length) return [];
	const at = (q: number): number => Math.max(1, positive[Math.min(positive.length - 1, Math.floor(positive.length * q))]!);
	const low = at(0.1),
		high = at(0.99);
	return [...new Set([1, 2, 3].map(i => round(low * (high / low) ** (i / 4))))];
}

export const stepOf = (v: number, bounds: number[]): number => (v > 0 ? 1 + bounds.filter(b => v >= b).length : 0);

export interface HeatFrame {
	rows: HeatRowProps[];
	first: number; // where its first step begins
	to: number;
	step: number;
	n: number;
	bounds: number[];
	unit: string;
	seen: ((at: number) => boolean) | undefined;
}

export function heatFrame(
	rows: HeatRowProps[],
	from: number,
	to: number,
	step: number,
	unit: string,
	seen?: (at: number) => boolean,
): HeatFrame {
	const first = Math.floor(from / step) * step;
	const n = Math.max(1, Math.ceil((to - first) / step)),
		bounds = thresholds(rows.flatMap(r => [...r.cells.values()]));
	return { rows, first, to, step, n, bounds, unit, seen };
}

// How a cell looks: one of the steps, or `lost` where nothing was observed.
export function cellOf(h: HeatFrame, r: HeatRowProps, i: number): string {
	const at = h.first + i * h.step,
		v = r.cells.get(at);
	return v === undefined && h.seen && !h.seen(at) ? "lost" : `m${stepOf(v ?? 0, h.bounds)}`;
}

const STROKES = 80; // in a line of nothing but what was not observed

// A cell crossed out: by one stroke, or where few cells are wide, by several.
function crossed(i: number, n: number): string {
	const strokes = Math.max(1, Math.round(STROKES / n)),
		wide = 0.94 / strokes;
	let path = "";
	for (let k = 0; k < strokes; k++) path += `M${i + k * wide} .9L${i + (k + 0.8) * wide} .1`;
	return path;
}

function HeatCells({ h, r }: { h: HeatFrame; r: HeatRowProps }): JSX.Element {
	const when = (at: number): string =>
		h.step >= 86_400_000 ? dayMonth(new Date(at)) : `${dateTime(new Date(at))}–${hourMinute(new Date(at + h.step))}`;
	return (
		<svg
			viewBox={`0 0 ${h.n} 1`}
			preserveAspectRatio="none"
			role="img"
			aria-label={`${r.name}: ${count([...r.cells.values()].reduce((s, v) => s + v, 0))} ${h.unit}`}
		>
			{Array.from({ length: h.n }, (_, i) => {
				const at = h.first + i * h.step,
					look = cellOf(h, r, i),
					part = at + h.step > h.to ? " part" : "";
				return look === "lost" ? (
					<path key={i} class="lost" d={crossed(i, h.n)}>
						<title>
							{when(at)} {t("noData")}
						</title>
					</path>
				) : (
					<rect key={i} class={look + part} x={i} y="0" width={h.n > 120 ? 1.02 : 0.94} height="1">
						<title>{`${r.name} ${when(at)}: ${count(r.cells.get(at) ?? 0)} ${h.unit}`}</title>
					</rect>
				);
			})}
		</svg>
	);
}

export function Heat({ label, of: h }: { label: string; of: HeatFrame }): JSX.Element {
	const lost = h.rows.some(r => Array.from({ length: h.n }, (_, i) => cellOf(h, r, i)).includes("lost"));
	return (
		<figure class="heat" aria-label={label} role="group">
			{h.rows.map(r => (
				<div class="line" key={r.key}>
					<span class="head">{r.head}</span>
					<HeatCells h={h} r={r} />
				</div>
			))}
			<TimesLine from={h.first} to={h.first + h.n * h.step} />
			<div class="line">
				<span class="head" />
				<Steps
					bounds={h.bounds}
					unit={h.unit}
					more={
						lost ? (
							<span class="lostkey">
								<svg viewBox="0 0 1 1">
									<path class="lost" d="M.1 .9L.9 .1" />
								</svg>{" "}
								{t("noData")}
							</span>
						) : undefined
					}
				/>
			</div>
		</figure>
	);
}

// The key of the steps, with the values that part them.
export function Steps({ bounds, unit, more }: { bounds: number[]; unit?: string; more?: ComponentChildren }): JSX.Element {
	return (
		<p class="steps">
			<span class="scale">
				{Array.from({ length: bounds.length + 1 }, (_, i) => (
					<i key={i} class={`m${i + 1}`}>
						{i > 0 && <b>{count(bounds[i - 1])}</b>}
					</i>
				))}
			</span>
			{unit && <span>{unit}</span>}
			{more}
		</p>
	);
}
